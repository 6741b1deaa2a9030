import { Column, Entity, PrimaryColumn } from 'typeorm';

/** `pending` rows are the outbox of the search index; `failed` ones ran out of attempts. */
export type IndexState = 'pending' | 'written' | 'failed';

/**
 * The search index of an entry, the second store of the dual write. The row is written as
 * `pending` in the transaction of the entry and completed by the indexer.
 */
@Entity('entry_index')
export class EntryIndexEntity {
  @PrimaryColumn('uuid')
  entryId!: string;

  @Column('uuid')
  sourceId!: string;

  /** The terms of the text and the tag of its source, without positions. */
  @Column('tsvector', { nullable: true, select: false })
  terms!: string | null;

  /** Hashed features, four bytes each (ranking/features.ts). */
  @Column('bytea', { nullable: true, select: false })
  embedding!: Buffer | null;

  /** Vector of a plugged-in embedding service, a byte per dimension. */
  @Column('bytea', { nullable: true, select: false })
  dense!: Buffer | null;

  @Column('text')
  state!: IndexState;

  @Column('smallint', { default: 0 })
  attempts!: number;

  @Column({ type: 'timestamptz', precision: 3 })
  nextAttemptAt!: Date;

  @Column('text', { nullable: true })
  lastError!: string | null;

  /** Digest of the text to index; a result computed from another text is thrown away. */
  @Column('bytea', { select: false })
  contentHash!: Buffer;
}

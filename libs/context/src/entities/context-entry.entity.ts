import { Column, CreateDateColumn, Entity, PrimaryColumn, UpdateDateColumn } from 'typeorm';

/** How near an entry is kept. */
export type EntryTier = 'hot' | 'warm' | 'cold';

/** Only active and expiring entries are compiled; expired ones are purged. */
export type EntryLifecycle = 'active' | 'expiring' | 'expired' | 'archived';

/** Something that was said, written or found, in a source. */
@Entity('context_entry')
export class ContextEntryEntity {
  /** UUID version 7, so that inserts stay local in the primary key. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  sourceId!: string;

  /** A large field: not selected unless asked for. */
  @Column('text', { select: false })
  text!: string;

  /** `user`, `assistant`, `system`, or nothing when metadata or type decide. */
  @Column('text', { nullable: true })
  role!: string | null;

  @Column('text', { nullable: true })
  author!: string | null;

  /** What kind of utterance it is: `user`, `assistant`, `thought`, `image`, `section`, … */
  @Column('text', { nullable: true })
  type!: string | null;

  @Column({ type: 'timestamptz', precision: 3 })
  occurredAt!: Date;

  @Column('jsonb', { default: {} })
  metadata!: Record<string, unknown>;

  /** 0 to 5; 5 is "flagged as important". */
  @Column('real', { default: 0 })
  importance!: number;

  @Column('boolean', { default: false })
  pinned!: boolean;

  /** What readers thought of it, -5 to 5. */
  @Column('real', { nullable: true })
  rating!: number | null;

  @Column('integer', { default: 0 })
  accessCount!: number;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  lastAccessedAt!: Date | null;

  @Column('text', { default: 'hot' })
  tier!: EntryTier;

  @Column('text', { default: 'active' })
  lifecycle!: EntryLifecycle;

  /** Digest of what the writer gave, by which a repeated ingest sees that nothing changed. */
  @Column('bytea', { select: false })
  contentHash!: Buffer;

  /** The writer's own key of the entry, unique in its source. */
  @Column('text', { nullable: true })
  externalKey!: string | null;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;
}

import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One text of an API key. A rotation makes the next; the one before works on for a while. */
@Entity({ name: 'api_key_version' })
export class ApiKeyVersion {
  /** The part of the text by which it is found. */
  @PrimaryColumn('text')
  lookupId!: string;

  @Column('uuid')
  keyId!: string;

  @Column('integer')
  version!: number;

  /** SHA-256 of the text. */
  @Column('bytea', { select: false })
  keyHash!: Buffer;

  @Column('timestamptz')
  createdAt!: Date;

  @Column('timestamptz')
  expiresAt!: Date;

  @Column('bigint')
  useCount!: string;

  @Column('timestamptz', { nullable: true })
  lastUsedAt!: Date | null;

  @Column('text', { nullable: true })
  lastUsedAddress!: string | null;
}

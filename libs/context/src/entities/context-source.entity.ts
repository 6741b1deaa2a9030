import { Column, CreateDateColumn, Entity, PrimaryColumn, UpdateDateColumn } from 'typeorm';

/** What a source holds. */
export const SOURCE_KINDS = [
  'conversation',
  'document',
  'memory',
  'tool',
  'log',
  'profile',
] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

/** Who sees a source: its owner alone, or the members of the organization. */
export const SOURCE_SCOPES = ['personal', 'team', 'organization'] as const;
export type SourceScope = (typeof SOURCE_SCOPES)[number];

/** How long what is compiled from a source may be cached. */
export interface CacheRule {
  /** Longest life of a compiled context that read this source; 0: never cached. */
  readonly ttlMs?: number;
}

/**
 * A named list of entries. Names are unique among the personal sources of an owner, and among
 * the shared ones (team, organization) of an organization.
 */
@Entity('context_source')
export class ContextSourceEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  organizationId!: string;

  @Column('uuid')
  ownerId!: string;

  /** `[A-Za-z0-9_-]+`; the id of the source in compile and in the context port. */
  @Column('text')
  name!: string;

  @Column('text')
  label!: string;

  @Column('text')
  kind!: SourceKind;

  @Column('text')
  scope!: SourceScope;

  /** Entries that happened longer ago are neither shown nor kept. Null: no limit. */
  @Column('integer', { nullable: true })
  retentionDays!: number | null;

  @Column('jsonb', { nullable: true })
  cacheRule!: CacheRule | null;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', precision: 3 })
  updatedAt!: Date;
}

import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * Something that happened and matters to security. Rows are only added, and deleted when they are
 * old: a trigger refuses everything else. They outlive the accounts that they speak of.
 */
@Entity({ name: 'security_event' })
export class SecurityEventRow {
  /** Made from the time, so that ids are in the order of events. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('timestamptz')
  occurredAt!: Date;

  @Column('text')
  type!: string;

  @Column('text')
  outcome!: 'succeeded' | 'failed' | 'refused';

  /** Who did it; null when nobody was known. */
  @Column('uuid', { nullable: true })
  actorId!: string | null;

  /** Whose account it concerns. */
  @Column('uuid', { nullable: true })
  userId!: string | null;

  @Column('uuid', { nullable: true })
  organizationId!: string | null;

  @Column('text', { nullable: true })
  targetKind!: string | null;

  @Column('text', { nullable: true })
  targetId!: string | null;

  @Column('text', { nullable: true })
  address!: string | null;

  @Column('text', { nullable: true })
  userAgent!: string | null;

  @Column('text', { nullable: true })
  requestId!: string | null;

  @Column('integer')
  occurrences!: number;

  @Column('jsonb')
  details!: Record<string, unknown>;
}

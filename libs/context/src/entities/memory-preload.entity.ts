import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a user wants preloaded of their memories, and when that last happened. */
@Entity('memory_preload')
export class MemoryPreloadEntity {
  @PrimaryColumn('uuid')
  userId!: string;

  @Column('uuid')
  organizationId!: string;

  /** Null: the defaults. */
  @Column('jsonb', { nullable: true })
  config!: object | null;

  @Column('text', { nullable: true })
  jobId!: string | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  requestedAt!: Date | null;

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  loadedAt!: Date | null;

  @Column('real', { nullable: true })
  durationMs!: number | null;

  /** Rows by category. */
  @Column('jsonb', { nullable: true })
  rows!: object | null;
}

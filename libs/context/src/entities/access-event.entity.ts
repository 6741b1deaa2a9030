import { Entity, PrimaryColumn } from 'typeorm';

/** A user was given an entry. Partitioned by day; the same millisecond counts once. */
@Entity('access_event')
export class AccessEventEntity {
  @PrimaryColumn('uuid')
  entryId!: string;

  @PrimaryColumn({ type: 'timestamptz', precision: 3 })
  occurredAt!: Date;

  @PrimaryColumn('uuid')
  userId!: string;
}

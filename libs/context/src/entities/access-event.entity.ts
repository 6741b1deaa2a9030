import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A user was given an entry, within a second as often as `accesses` says. Partitioned by day. */
@Entity('access_event')
export class AccessEventEntity {
  @PrimaryColumn('uuid')
  entryId!: string;

  @PrimaryColumn({ type: 'timestamptz', precision: 3 })
  occurredAt!: Date;

  @PrimaryColumn('uuid')
  userId!: string;

  @Column('integer', { default: 1 })
  accesses!: number;
}

import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The failures of one side, such as an account or an address, in its current window. */
@Entity({ name: 'auth_failure' })
export class AuthFailure {
  @PrimaryColumn('text')
  key!: string;

  @Column('integer')
  failures!: number;

  /** Attempts under way, which may fail yet. */
  @Column('integer')
  pending!: number;

  @Column('timestamptz')
  resetsAt!: Date;
}

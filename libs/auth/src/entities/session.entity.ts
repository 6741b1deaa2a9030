import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * What a log-in opens and a log-out ends: the family of the refresh tokens that descend from one
 * another. Access tokens name it, so that ending it ends them.
 */
@Entity({ name: 'user_session' })
export class Session {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  userId!: string;

  @Column('timestamptz')
  createdAt!: Date;

  @Column('timestamptz')
  refreshedAt!: Date;

  /** Moves on with each refresh, up to the greatest age of a session. */
  @Column('timestamptz')
  expiresAt!: Date;

  @Column('timestamptz', { nullable: true })
  revokedAt!: Date | null;

  @Column('text', { nullable: true })
  revokedBecause!: 'logout' | 'reuse' | 'disabled' | null;
}

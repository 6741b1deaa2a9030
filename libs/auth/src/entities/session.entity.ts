import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { SessionAnomaly } from '../sessions/session-risk.js';
import type { SessionRisk } from '../sessions/session-timeout.js';

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

  /** The client of OAuth 2.0 that has its tokens; null for a log-in. */
  @Column('uuid', { nullable: true })
  clientId!: string | null;

  /** What it is limited to, as OAuth 2.0 writes it; null for a log-in. */
  @Column('text', { nullable: true })
  scope!: string | null;

  @Column('timestamptz')
  createdAt!: Date;

  @Column('timestamptz')
  refreshedAt!: Date;

  /** Moves on with use, up to the greatest age of a session. */
  @Column('timestamptz')
  expiresAt!: Date;

  @Column('timestamptz', { nullable: true })
  revokedAt!: Date | null;

  @Column('text', { nullable: true })
  revokedBecause!: 'logout' | 'reuse' | 'disabled' | 'revoked' | 'password' | null;

  /** Written every few seconds while the session is used. */
  @Column('timestamptz')
  lastActiveAt!: Date;

  @Column('integer')
  requestCount!: number;

  /** How long the session may be unused; null when only its refresh token limits it. */
  @Column('integer', { nullable: true })
  idleTimeoutSeconds!: number | null;

  @Column('boolean')
  important!: boolean;

  @Column('text')
  risk!: SessionRisk;

  @Column('text', { array: true })
  anomalies!: SessionAnomaly[];

  /** IP address that the session was opened from. */
  @Column('text', { nullable: true })
  address!: string | null;

  /** The header `User-Agent` that it was opened with, cut to 256 characters. */
  @Column('text', { nullable: true })
  userAgent!: string | null;
}

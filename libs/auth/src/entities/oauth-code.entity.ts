import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An authorization code. A used one is kept for a while, so that its second use is noticed. */
@Entity({ name: 'oauth_code' })
export class OAuthCode {
  /** SHA-256 of the code. */
  @PrimaryColumn('bytea')
  codeHash!: Buffer;

  @Column('uuid')
  clientId!: string;

  @Column('uuid')
  userId!: string;

  @Column('text')
  redirectUri!: string;

  @Column('text')
  scope!: string;

  /** RFC 7636, of method S256. */
  @Column('text')
  codeChallenge!: string;

  @Column('timestamptz')
  validUntil!: Date;

  @Column('timestamptz', { nullable: true })
  usedAt!: Date | null;

  /** The session that it was exchanged for. */
  @Column('uuid', { nullable: true })
  sessionId!: string | null;

  /** When the row is forgotten. */
  @Column('timestamptz')
  expiresAt!: Date;
}

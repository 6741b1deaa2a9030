import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A refresh token, good for one use. It lives only while its session does. */
@Entity({ name: 'refresh_token' })
export class RefreshToken {
  @PrimaryColumn('uuid')
  id!: string;

  /** The family of the token. */
  @Column('uuid')
  sessionId!: string;

  /** SHA-256 of the token. */
  @Column('bytea')
  tokenHash!: Buffer;

  @Column('timestamptz')
  createdAt!: Date;

  @Column('timestamptz')
  expiresAt!: Date;

  @Column('timestamptz', { nullable: true })
  usedAt!: Date | null;
}

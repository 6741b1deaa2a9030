import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A token by which a user sets a password once; gone when it was used. */
@Entity({ name: 'password_reset' })
export class PasswordReset {
  /** SHA-256 of the token. */
  @PrimaryColumn('bytea')
  tokenHash!: Buffer;

  @Column('uuid')
  userId!: string;

  @Column('timestamptz')
  expiresAt!: Date;
}

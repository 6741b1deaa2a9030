import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key pair that signs access tokens, shared by all processes. */
@Entity({ name: 'signing_key' })
export class SigningKey {
  @PrimaryColumn('text')
  kid!: string;

  @Column('integer')
  generation!: number;

  @Column('text')
  algorithm!: 'ES256';

  /** How `secret` is stored. */
  @Column('text')
  encryption!: 'none' | 'aes-256-gcm';

  /** The private key, PKCS #8. */
  @Column('bytea', { select: false })
  secret!: Buffer;

  /** It is published before, so that whoever verifies tokens knows it in time. */
  @Column('timestamptz')
  signsFrom!: Date;

  /** When no token that it signed is alive any more; null while no key follows it. */
  @Column('timestamptz', { nullable: true })
  expiresAt!: Date | null;

  @Column('timestamptz')
  createdAt!: Date;
}

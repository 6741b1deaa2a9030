import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key that signs access tokens, shared by all processes. The newest generation signs. */
@Entity({ name: 'signing_key' })
export class SigningKey {
  @PrimaryColumn('text')
  kid!: string;

  @Column('integer')
  generation!: number;

  /** How `secret` is stored. */
  @Column('text')
  encryption!: 'none' | 'aes-256-gcm';

  @Column('bytea', { select: false })
  secret!: Buffer;

  @Column('timestamptz')
  createdAt!: Date;
}

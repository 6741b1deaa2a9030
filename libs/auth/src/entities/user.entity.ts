import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Somebody who can log in. The email is unique among all organizations. */
@Entity({ name: 'user_account' })
export class User {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  organizationId!: string;

  /** In lower case. */
  @Column('text')
  email!: string;

  /** argon2id in PHC form; read only where a password is checked. */
  @Column('text', { select: false })
  passwordHash!: string;

  @Column('timestamptz', { nullable: true })
  disabledAt!: Date | null;

  @Column('timestamptz')
  createdAt!: Date;
}

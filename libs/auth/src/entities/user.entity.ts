import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Somebody who acts: a person who can log in, or a service. The email is unique among all organizations. */
@Entity({ name: 'user_account' })
export class User {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  organizationId!: string;

  /** In lower case. */
  @Column('text')
  email!: string;

  /** A service acts by a client of OAuth 2.0. */
  @Column('text')
  kind!: 'person' | 'service';

  /** argon2id in PHC form; read only where a password is checked. A service has none. */
  @Column('text', { select: false, nullable: true })
  passwordHash!: string | null;

  @Column('timestamptz', { nullable: true })
  disabledAt!: Date | null;

  @Column('timestamptz')
  createdAt!: Date;
}

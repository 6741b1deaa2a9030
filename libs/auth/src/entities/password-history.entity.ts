import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A password that a user had before, so that they do not take it again. */
@Entity({ name: 'password_history' })
export class PasswordHistory {
  /** In the order of time. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  userId!: string;

  /** argon2id in PHC form. */
  @Column('text', { select: false })
  passwordHash!: string;
}

import { Entity, PrimaryColumn } from 'typeorm';

/** A user holds a role. */
@Entity({ name: 'user_role' })
export class UserRole {
  @PrimaryColumn('uuid')
  userId!: string;

  @PrimaryColumn('uuid')
  roleId!: string;
}

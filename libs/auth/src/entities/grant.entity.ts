import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A permission or denial of a role or of one user: exactly one of `roleId` and `userId` is set. */
@Entity({ name: 'permission_grant' })
export class Grant {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { nullable: true })
  roleId!: string | null;

  @Column('uuid', { nullable: true })
  userId!: string | null;

  /** A path as `PermissionGrant` of libs/core describes it. */
  @Column('text')
  resource!: string;

  @Column('text')
  action!: string;

  @Column('text')
  effect!: 'allow' | 'deny';
}

import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A named bundle of grants. */
@Entity({ name: 'role' })
export class Role {
  @PrimaryColumn('uuid')
  id!: string;

  /** Null for the built-in roles, which all organizations share and none may change. */
  @Column('uuid', { nullable: true })
  organizationId!: string | null;

  @Column('text')
  name!: string;

  @Column('text')
  description!: string;

  @Column('timestamptz')
  createdAt!: Date;
}

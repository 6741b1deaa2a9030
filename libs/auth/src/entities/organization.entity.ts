import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A tenant. Every user belongs to exactly one, and no query crosses its border. */
@Entity({ name: 'organization' })
export class Organization {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  @Column('timestamptz')
  createdAt!: Date;
}

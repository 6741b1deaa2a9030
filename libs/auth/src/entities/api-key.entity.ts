import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key by which a program acts for its owner, within a scope. Its texts are its versions. */
@Entity({ name: 'api_key' })
export class ApiKey {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  userId!: string;

  @Column('text')
  name!: string;

  /** What it is limited to. */
  @Column('jsonb')
  scope!: { readonly resource: string; readonly action: string }[];

  /** Of the newest version. */
  @Column('integer')
  version!: number;

  @Column('timestamptz')
  createdAt!: Date;

  /** When the newest version ends. */
  @Column('timestamptz')
  expiresAt!: Date;

  @Column('timestamptz', { nullable: true })
  revokedAt!: Date | null;
}

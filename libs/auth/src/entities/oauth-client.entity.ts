import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ClientType, GrantType } from '../oauth/oauth-client.js';

/** A program of an organization that may ask for tokens of OAuth 2.0. */
@Entity({ name: 'oauth_client' })
export class OAuthClientRow {
  /** The `client_id` of the protocol. */
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  organizationId!: string;

  @Column('text')
  name!: string;

  @Column('text')
  type!: ClientType;

  @Column('text', { array: true })
  grantTypes!: GrantType[];

  /** Compared as they are, character by character. */
  @Column('text', { array: true })
  redirectUris!: string[];

  /** The most that its tokens may be limited to. */
  @Column('text', { array: true })
  scopes!: string[];

  /** Whether users of other organizations may use it, too. */
  @Column('boolean')
  shared!: boolean;

  /** The account that it acts by with client credentials. */
  @Column('uuid', { nullable: true })
  serviceUserId!: string | null;

  /** SHA-256 of the secret; null for public clients. */
  @Column('bytea', { nullable: true })
  secretHash!: Buffer | null;

  /** The secret before it, until the client has taken over the new one. */
  @Column('bytea', { nullable: true })
  previousSecretHash!: Buffer | null;

  @Column('timestamptz', { nullable: true })
  previousSecretExpiresAt!: Date | null;

  @Column('timestamptz', { nullable: true })
  disabledAt!: Date | null;

  @Column('timestamptz')
  createdAt!: Date;
}

import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { lockedSessions } from '../sessions/session.store.js';
import type { OAuthClient } from './oauth-client.js';

/** A client with what it is recognised by. */
export interface ClientWithSecrets extends OAuthClient {
  readonly secretHash: Buffer | null;
  readonly previousSecretHash: Buffer | null;
}

/** What can be changed of a client. */
export type ClientFields = Pick<
  OAuthClient,
  'name' | 'grantTypes' | 'redirectUris' | 'scopes' | 'shared' | 'disabled'
>;

const COLUMNS = `
  client.id, client.organization_id AS "organizationId", client.name, client.type,
    client.grant_types AS "grantTypes", client.redirect_uris AS "redirectUris", client.scopes,
    client.shared, client.service_user_id AS "serviceUserId",
    client.disabled_at IS NOT NULL AS disabled, client.created_at AS "createdAt",
    client.previous_secret_expires_at AS "previousSecretExpiresAt"`;

/** The SQL of clients; those for an organization carry it. */
@Injectable()
export class OAuthClientStore {
  constructor(private readonly dataSource: DataSource) {}

  /** A client that may act, whatever its organization. */
  async findActive(id: string): Promise<ClientWithSecrets | undefined> {
    const [client] = await this.dataSource.query<ClientWithSecrets[]>(
      `SELECT ${COLUMNS}, secret_hash AS "secretHash", previous_secret_hash AS "previousSecretHash"
       FROM oauth_client client WHERE id = $1 AND disabled_at IS NULL`,
      [id],
    );
    return client;
  }

  list(organizationId: string, limit: number, afterId?: string): Promise<OAuthClient[]> {
    return this.dataSource.query<OAuthClient[]>(
      `SELECT ${COLUMNS} FROM oauth_client client
       WHERE organization_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3`,
      [organizationId, afterId ?? null, limit],
    );
  }

  async find(organizationId: string, id: string): Promise<OAuthClient | undefined> {
    const [client] = await this.dataSource.query<OAuthClient[]>(
      `SELECT ${COLUMNS} FROM oauth_client client WHERE organization_id = $1 AND id = $2`,
      [organizationId, id],
    );
    return client;
  }

  /** One client, locked until the transaction ends. */
  async lock(
    manager: EntityManager,
    organizationId: string,
    id: string,
  ): Promise<OAuthClient | undefined> {
    const [client] = await manager.query<OAuthClient[]>(
      `SELECT ${COLUMNS} FROM oauth_client client
       WHERE organization_id = $1 AND id = $2 FOR UPDATE`,
      [organizationId, id],
    );
    return client;
  }

  /** How many clients an organization has; it gets no other one until the transaction ends. */
  async countForNext(manager: EntityManager, organizationId: string): Promise<number> {
    await manager.query('SELECT 1 FROM organization WHERE id = $1 FOR NO KEY UPDATE', [
      organizationId,
    ]);
    const [row] = await manager.query<{ count: number }[]>(
      'SELECT count(*)::int AS count FROM oauth_client WHERE organization_id = $1',
      [organizationId],
    );
    return row?.count ?? 0;
  }

  async insert(
    manager: EntityManager,
    client: OAuthClient,
    secretHash: Buffer | null,
  ): Promise<void> {
    await manager.query(
      `INSERT INTO oauth_client (id, organization_id, name, type, grant_types, redirect_uris, scopes,
         shared, service_user_id, secret_hash, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [
        client.id,
        client.organizationId,
        client.name,
        client.type,
        client.grantTypes,
        client.redirectUris,
        client.scopes,
        client.shared,
        client.serviceUserId,
        secretHash,
        client.createdAt,
      ],
    );
  }

  /** The account that a client acts by: it has no password, and an address that nobody can have. */
  async insertServiceAccount(
    manager: EntityManager,
    account: { readonly id: string; readonly organizationId: string; readonly createdAt: Date },
  ): Promise<void> {
    await manager.query(
      `INSERT INTO user_account (id, organization_id, email, kind, created_at)
       VALUES ($1, $2, $3, 'service', $4)`,
      [account.id, account.organizationId, `${account.id}@service.invalid`, account.createdAt],
    );
  }

  async update(manager: EntityManager, id: string, fields: ClientFields, now: Date): Promise<void> {
    await manager.query(
      `UPDATE oauth_client SET name = $2, grant_types = $3, redirect_uris = $4, scopes = $5,
         shared = $6, disabled_at = CASE WHEN $7 THEN coalesce(disabled_at, $8) END
       WHERE id = $1`,
      [
        id,
        fields.name,
        fields.grantTypes,
        fields.redirectUris,
        fields.scopes,
        fields.shared,
        fields.disabled,
        now,
      ],
    );
  }

  /** Gives a client another secret; the one before it is taken until `overlapEndsAt`. */
  async replaceSecret(
    manager: EntityManager,
    id: string,
    secretHash: Buffer,
    overlapEndsAt: Date | null,
  ): Promise<void> {
    await manager.query(
      `UPDATE oauth_client SET secret_hash = $2, previous_secret_expires_at = $3,
         previous_secret_hash = CASE WHEN $3::timestamptz IS NOT NULL THEN secret_hash END
       WHERE id = $1`,
      [id, secretHash, overlapEndsAt],
    );
  }

  /** Deletes a client with its sessions and codes. Its account stays, for what it has made, and sleeps. */
  async delete(
    manager: EntityManager,
    { id, serviceUserId }: OAuthClient,
    now: Date,
  ): Promise<void> {
    await manager.query('DELETE FROM oauth_client WHERE id = $1', [id]);
    await manager.query(
      'UPDATE user_account SET disabled_at = coalesce(disabled_at, $2) WHERE id = $1',
      [serviceUserId, now],
    );
  }

  /** Ends the sessions of a client, and the codes that would open others. */
  async endSessions(manager: EntityManager, id: string, now: Date): Promise<void> {
    // Codes first: one that is exchanged in this moment is waited for, and its session found.
    await manager.query('DELETE FROM oauth_code WHERE client_id = $1 AND used_at IS NULL', [id]);
    await manager.query(
      `UPDATE user_session SET revoked_at = $2, revoked_because = 'disabled'
       WHERE id IN (${lockedSessions('client_id = $1 AND revoked_at IS NULL')})`,
      [id, now],
    );
  }
}

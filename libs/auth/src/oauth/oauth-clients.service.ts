import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { AccessControl, Clock, newId, type Principal } from '#libs/core';
import { DataSource, type EntityManager } from 'typeorm';
import { allowing, requireCoverage } from '../administration/delegation.js';
import { grantsOfRoles, UserStore } from '../administration/user.store.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { AccountConflictError } from '../errors/account-conflict.error.js';
import { AccountInputError } from '../errors/account-input.error.js';
import { AccountNotFoundError } from '../errors/account-not-found.error.js';
import { ForbiddenError } from '../errors/forbidden.error.js';
import { PrincipalCache } from '../principals/principal.cache.js';
import type { ClientType, OAuthClient } from './oauth-client.js';
import { requireUsable } from './oauth-client.rules.js';
import { type ClientFields, OAuthClientStore } from './oauth-client.store.js';
import { clientSecrets } from './oauth-tokens.js';
import { oauthSettings } from './oauth.settings.js';

export interface NewClient extends Omit<ClientFields, 'disabled'> {
  readonly type: ClientType;
  /** Names of the roles of the account that it acts by with client credentials. */
  readonly roles: readonly string[];
}

/** A client with the secret that is shown this once; null for a public one. */
export interface ClientAndSecret {
  readonly client: OAuthClient;
  readonly secret: string | null;
}

type Action = 'created' | 'changed' | 'secret-replaced' | 'deleted';

const HOUR_MS = 3_600_000;
/** What a client takes that users of every organization use: nobody has it but who runs all of them. */
const SHARE = { resource: 'platform:clients', action: 'share' } as const;

/**
 * The clients of the caller's organization. Those of others do not exist here.
 *
 * Who can act by a client has what its account may do, so the rule of delegation holds here as it does
 * for users: nobody makes or changes a client whose account may do more than they.
 */
@Injectable()
export class OAuthClients {
  constructor(
    private readonly dataSource: DataSource,
    private readonly store: OAuthClientStore,
    private readonly users: UserStore,
    private readonly principals: PrincipalCache,
    private readonly access: AccessControl,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  list(caller: Principal, limit: number, afterId?: string): Promise<OAuthClient[]> {
    return this.store.list(caller.organizationId, limit, afterId);
  }

  /** @throws AccountNotFoundError */
  async get(caller: Principal, id: string): Promise<OAuthClient> {
    const client = await this.store.find(caller.organizationId, id);
    if (client === undefined) throw new AccountNotFoundError('client');
    return client;
  }

  /**
   * @throws AccountInputError when the parts do not go together, or a role is unknown
   * @throws ForbiddenError AUTH_GRANT_EXCEEDS_OWN, AUTH_PERMISSION_DENIED for one of all organizations
   * @throws AccountConflictError OAUTH_CLIENT_LIMIT
   */
  async create(caller: Principal, given: NewClient): Promise<ClientAndSecret> {
    const { roles: roleNames, ...fields } = given;
    requireUsable(fields);
    this.requireShareable(caller, fields.shared);
    const { organizationId } = caller;
    const createdAt = this.clock.now();
    const acts = fields.grantTypes.includes('client_credentials');
    const serviceUserId = acts ? newId(createdAt.getTime()) : null;
    const client: OAuthClient = {
      ...fields,
      id: newId(createdAt.getTime()),
      organizationId,
      serviceUserId,
      disabled: false,
      createdAt,
      previousSecretExpiresAt: null,
    };
    const secret = client.type === 'confidential' ? clientSecrets.issue() : undefined;
    await this.dataSource.transaction(async (manager) => {
      await this.requireRoom(manager, organizationId);
      if (serviceUserId !== null) {
        await this.store.insertServiceAccount(manager, {
          id: serviceUserId,
          organizationId,
          createdAt,
        });
        const roles = await this.users.rolesNamed(manager, caller, roleNames);
        requireCoverage(caller, allowing(grantsOfRoles(roles)));
        await this.users.replaceRoles(manager, serviceUserId, roles);
      }
      await this.store.insert(manager, client, secret?.tokenHash ?? null);
      const { name, grantTypes, scopes } = client;
      await this.record(manager, 'created', client, { name, grantTypes, scopes, roles: roleNames });
    });
    return { client, secret: secret?.token ?? null };
  }

  /**
   * Changes a client. One that is disabled, or may do less now, loses its sessions.
   * @throws AccountNotFoundError, AccountInputError
   * @throws ForbiddenError AUTH_GRANT_EXCEEDS_OWN, AUTH_PERMISSION_DENIED for one of all organizations
   */
  async change(
    caller: Principal,
    id: string,
    change: { readonly [Field in keyof ClientFields]?: ClientFields[Field] | undefined },
  ): Promise<OAuthClient> {
    const changed = await this.dataSource.transaction(async (manager) => {
      const client = await this.lock(manager, caller, id);
      const given = Object.entries(change).filter(([, value]) => value !== undefined);
      const after = { ...client, ...(Object.fromEntries(given) as Partial<ClientFields>) };
      requireUsable(after);
      this.requireShareable(caller, after.shared);
      if (after.grantTypes.includes('client_credentials') && client.serviceUserId === null) {
        throw new AccountInputError(
          'OAUTH_CLIENT_INVALID',
          'body.grantTypes',
          'A client that was made without client_credentials has no account to act by; make another.',
        );
      }
      const now = this.clock.now();
      await this.store.update(manager, id, after, now);
      if (mayDoLess(client, after)) await this.store.endSessions(manager, id, now);
      await this.record(manager, 'changed', client, Object.fromEntries(given));
      return after;
    });
    await this.principals.forgetClient();
    return changed;
  }

  /**
   * Gives a client another secret. The one before it is taken for `clientSecretOverlapHours` more, or
   * not at all when it was betrayed.
   * @throws AccountNotFoundError, AccountInputError for a public client, ForbiddenError
   */
  async replaceSecret(
    caller: Principal,
    id: string,
    isBetrayed: boolean,
  ): Promise<ClientAndSecret> {
    const { token, tokenHash } = clientSecrets.issue();
    const client = await this.dataSource.transaction(async (manager) => {
      const found = await this.lock(manager, caller, id);
      if (found.type === 'public') {
        const message = 'A public client has no secret.';
        throw new AccountInputError('OAUTH_CLIENT_INVALID', 'path.id', message);
      }
      const now = this.clock.now();
      const { clientSecretOverlapHours } = this.settings.get(oauthSettings);
      const hours = isBetrayed ? 0 : clientSecretOverlapHours;
      const overlapEndsAt = hours === 0 ? null : new Date(now.getTime() + hours * HOUR_MS);
      await this.store.replaceSecret(manager, id, tokenHash, overlapEndsAt);
      if (isBetrayed) await this.store.endSessions(manager, id, now);
      await this.record(manager, 'secret-replaced', found, { isBetrayed });
      return { ...found, previousSecretExpiresAt: overlapEndsAt };
    });
    if (isBetrayed) await this.principals.forgetClient();
    return { client, secret: token };
  }

  /** Deletes a client; its tokens end at once. @throws AccountNotFoundError, ForbiddenError */
  async delete(caller: Principal, id: string): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const client = await this.lock(manager, caller, id);
      await this.store.delete(manager, client, this.clock.now());
      await this.record(manager, 'deleted', client, { name: client.name });
    });
    await this.principals.forgetClient();
  }

  /**
   * Locks a client that the caller may change: its account may do nothing beyond what they may, and
   * users of other organizations use it only if they may let them.
   */
  private async lock(manager: EntityManager, caller: Principal, id: string): Promise<OAuthClient> {
    const client = await this.store.lock(manager, caller.organizationId, id);
    if (client === undefined) throw new AccountNotFoundError('client');
    this.requireShareable(caller, client.shared);
    if (client.serviceUserId === null) return client;
    const account = await this.users.lock(manager, caller, client.serviceUserId);
    if (account !== undefined) {
      requireCoverage(caller, await this.users.grantsOf(manager, caller, account));
    }
    return client;
  }

  private async requireRoom(manager: EntityManager, organizationId: string): Promise<void> {
    const { clientsPerOrganization } = this.settings.get(oauthSettings);
    const count = await this.store.countForNext(manager, organizationId);
    if (count < clientsPerOrganization) return;
    throw new AccountConflictError(
      'OAUTH_CLIENT_LIMIT',
      `There are ${clientsPerOrganization} clients already (oauth.clientsPerOrganization).`,
    );
  }

  private requireShareable(caller: Principal, shared: boolean): void {
    if (!shared || this.access.isAllowed(caller, SHARE.resource, SHARE.action)) return;
    throw new ForbiddenError(
      'AUTH_PERMISSION_DENIED',
      `You need the permission ${SHARE.action} on ${SHARE.resource} for a client of all organizations.`,
    );
  }

  private record(
    manager: EntityManager,
    action: Action,
    { id, organizationId }: OAuthClient,
    details: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const target = { kind: 'oauth-client', id };
    return this.audit.record(
      { type: `oauth-client-${action}`, organizationId, target, details },
      manager,
    );
  }
}

function mayDoLess(before: ClientFields, after: ClientFields): boolean {
  return (
    after.disabled ||
    (before.shared && !after.shared) ||
    before.grantTypes.some((one) => !after.grantTypes.includes(one)) ||
    before.scopes.some((one) => !after.scopes.includes(one))
  );
}

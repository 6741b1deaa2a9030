import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessControl } from '#libs/core';
import { JobsModule } from '#libs/jobs';
import { TrieAccessControl } from './access/trie-access-control.js';
import { AccountStore } from './accounts/account.store.js';
import { Authenticator } from './accounts/authenticator.js';
import { LastingCaller } from './accounts/lasting-caller.js';
import { Login } from './accounts/login.js';
import { Registration } from './accounts/registration.js';
import { GrantStore } from './administration/grant.store.js';
import { RolesService } from './administration/roles.service.js';
import { UserStore } from './administration/user.store.js';
import { UsersService } from './administration/users.service.js';
import { AdministratorBootstrap } from './bootstrap/administrator.bootstrap.js';
import { ApiKeys } from './api-keys/api-keys.js';
import { apiKeyProviders } from './api-keys/index.js';
import { auditProviders } from './audit/index.js';
import { SecurityEvents } from './audit/security-events.js';
import { AuthEventLog } from './auth-event.log.js';
import { AuthGuard } from './guards/auth.guard.js';
import { PermissionGuard } from './guards/permission.guard.js';
import { StreamGuard } from './guards/stream.guard.js';
import { breachedPasswordsProvider } from './passwords/breached-passwords.provider.js';
import { PasswordChange } from './passwords/password-change.js';
import { oauthProviders } from './oauth/oauth.providers.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { PasswordPolicy } from './passwords/password-policy.js';
import { PasswordResetStore } from './passwords/password-reset.store.js';
import { PrincipalCache } from './principals/principal.cache.js';
import { PrincipalLoader } from './principals/principal.loader.js';
import { RefreshTokens } from './sessions/refresh-tokens.js';
import { SessionActivity } from './sessions/session-activity.js';
import { SessionInsights } from './sessions/session-insights.js';
import { SessionProfiles } from './sessions/session-profiles.js';
import { SessionRenewal } from './sessions/session-renewal.js';
import { SessionStore } from './sessions/session.store.js';
import { SessionUseStore } from './sessions/session-use.store.js';
import { Sessions } from './sessions/sessions.js';
import { FailureStore } from './throttle/failure.store.js';
import { FailureThrottle } from './throttle/failure-throttle.js';
import { AccessTokens } from './tokens/access-tokens.js';
import { SigningKeyStore } from './tokens/signing-key.store.js';
import { SigningKeyVault } from './tokens/signing-key.vault.js';
import { SigningKeys } from './tokens/signing-keys.js';

const services = [
  AdministratorBootstrap,
  ApiKeys,
  Authenticator,
  Login,
  PasswordChange,
  PrincipalLoader,
  Registration,
  RolesService,
  SecurityEvents,
  SessionInsights,
  Sessions,
  SigningKeys,
  UsersService,
];

/**
 * Accounts, sessions and permissions, with the guards that every route passes. Global, so that
 * other libs find `AccessControl` without knowing this one. It needs `DataSource`,
 * `SettingsStore`, `RootLogger` and `Clock` from global modules, and uses `Caches` if there are. Routes are mounted by the app:
 * `authControllers`.
 */
@Global()
@Module({
  imports: [
    JobsModule.forFeature({
      expiredRows: [
        // The tokens of a session go with it. It is kept for what time-outs learn from.
        {
          owner: 'auth.user_session',
          table: 'user_session',
          where: "expires_at < $1::timestamptz - interval '30 days'",
        },
        // The sessions of clients teach nothing, and there may be many.
        {
          owner: 'auth.client_session',
          table: 'user_session',
          where: 'client_id IS NOT NULL AND expires_at < $1',
        },
        { owner: 'auth.oauth_code', table: 'oauth_code', where: 'expires_at < $1' },
        { owner: 'auth.signing_key', table: 'signing_key', where: 'expires_at < $1' },
        { owner: 'auth.password_reset', table: 'password_reset', where: 'expires_at < $1' },
        { owner: 'auth.auth_failure', table: 'auth_failure', where: 'resets_at < $1' },
        { owner: 'auth.refresh_token', table: 'refresh_token', where: 'expires_at < $1' },
      ],
    }),
  ],
  providers: [
    ...services,
    ...apiKeyProviders,
    ...auditProviders,
    ...oauthProviders,
    AccessTokens,
    AccountStore,
    AuthEventLog,
    FailureStore,
    FailureThrottle,
    GrantStore,
    LastingCaller,
    PasswordHasher,
    PasswordPolicy,
    PasswordResetStore,
    PermissionGuard,
    breachedPasswordsProvider,
    PrincipalCache,
    RefreshTokens,
    SessionActivity,
    SessionProfiles,
    SessionRenewal,
    SessionStore,
    SessionUseStore,
    SigningKeyStore,
    SigningKeyVault,
    UserStore,
    TrieAccessControl,
    { provide: AccessControl, useExisting: TrieAccessControl },
    // Guards run in this order.
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_GUARD, useExisting: PermissionGuard },
    { provide: APP_GUARD, useClass: StreamGuard },
  ],
  exports: [...services, ...oauthProviders, AccessControl, TrieAccessControl],
})
export class AuthModule {}

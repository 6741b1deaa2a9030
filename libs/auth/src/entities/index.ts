import { ApiKeyVersion } from './api-key-version.entity.js';
import { ApiKey } from './api-key.entity.js';
import { AuthFailure } from './auth-failure.entity.js';
import { Grant } from './grant.entity.js';
import { OAuthClientRow } from './oauth-client.entity.js';
import { OAuthCode } from './oauth-code.entity.js';
import { Organization } from './organization.entity.js';
import { PasswordHistory } from './password-history.entity.js';
import { PasswordReset } from './password-reset.entity.js';
import { RefreshToken } from './refresh-token.entity.js';
import { Role } from './role.entity.js';
import { SecurityEventRow } from './security-event.entity.js';
import { Session } from './session.entity.js';
import { SigningKey } from './signing-key.entity.js';
import { UserRole } from './user-role.entity.js';
import { User } from './user.entity.js';

/** The entities of accounts, permissions and sessions. */
export const authEntities = [
  Organization,
  User,
  Role,
  UserRole,
  Grant,
  Session,
  RefreshToken,
  SigningKey,
  OAuthClientRow,
  OAuthCode,
  PasswordHistory,
  PasswordReset,
  AuthFailure,
  ApiKey,
  ApiKeyVersion,
  SecurityEventRow,
] as const;

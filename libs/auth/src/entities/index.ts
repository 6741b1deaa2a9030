import { Grant } from './grant.entity.js';
import { Organization } from './organization.entity.js';
import { RefreshToken } from './refresh-token.entity.js';
import { Role } from './role.entity.js';
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
] as const;

import { AccessController } from './access.controller.js';
import { ApiKeysController } from './api-keys.controller.js';
import { AuditController } from './audit.controller.js';
import { AuthController } from './auth.controller.js';
import { OAuthClientsController } from './oauth-clients.controller.js';
import { OAuthController } from './oauth.controller.js';
import { PasswordController } from './password.controller.js';
import { RolesController } from './roles.controller.js';
import { SessionsController } from './sessions.controller.js';
import { SigningKeysController } from './signing-keys.controller.js';
import { UsersController } from './users.controller.js';
import { WellKnownController } from './well-known.controller.js';

/** The routes under /v1/auth, /v1/audit, /oauth and /.well-known, for an app that imports `AuthModule` to mount. */
export const authControllers = [
  AccessController,
  AuthController,
  ApiKeysController,
  AuditController,
  UsersController,
  RolesController,
  SessionsController,
  PasswordController,
  OAuthClientsController,
  OAuthController,
  SigningKeysController,
  WellKnownController,
];

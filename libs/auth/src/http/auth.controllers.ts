import { ApiKeysController } from './api-keys.controller.js';
import { AuditController } from './audit.controller.js';
import { AuthController } from './auth.controller.js';
import { PasswordController } from './password.controller.js';
import { RolesController } from './roles.controller.js';
import { SessionsController } from './sessions.controller.js';
import { UsersController } from './users.controller.js';

/** The routes under /v1/auth and /v1/audit, for an app that imports `AuthModule` to mount. */
export const authControllers = [
  AuthController,
  ApiKeysController,
  AuditController,
  UsersController,
  RolesController,
  SessionsController,
  PasswordController,
];

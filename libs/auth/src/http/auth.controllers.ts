import { AuthController } from './auth.controller.js';
import { RolesController } from './roles.controller.js';
import { SessionsController } from './sessions.controller.js';
import { UsersController } from './users.controller.js';

/** The routes under /v1/auth, for an app that imports `AuthModule` to mount. */
export const authControllers = [
  AuthController,
  UsersController,
  RolesController,
  SessionsController,
];

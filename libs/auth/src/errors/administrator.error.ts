import { PantheonError } from '#libs/core';

/** The first administrator cannot be created because the email is that of another account. */
export class AdministratorError extends PantheonError {
  constructor(email: string) {
    super(
      'AUTH_ADMINISTRATOR_EMAIL_TAKEN',
      `There is no administrator yet, and ${email} is the email of an account that is none. ` +
        'Set PANTHEON_ADMIN_EMAIL to another address.',
      { kind: 'conflict' },
    );
  }
}

import type { AuthSettings } from '../auth.settings.js';
import { AccountInputError } from '../errors/account-input.error.js';

/**
 * A password in the one form that is hashed and compared (NFKC, as NIST SP 800-63B 3.1.1.2 asks),
 * so that keyboards which compose characters differently agree. Nothing is trimmed.
 */
export function normalisePassword(password: string): string {
  return password.normalize('NFKC');
}

/**
 * Normalises a new password and refuses one that is too short or too long, counted in characters
 * (code points) after normalisation.
 * @throws AccountInputError that names `path`
 */
export function acceptNewPassword(
  password: string,
  settings: AuthSettings,
  path = 'body.password',
): string {
  const normalised = normalisePassword(password);
  const characters = Array.from(normalised).length;
  const { passwordMinCharacters: min, passwordMaxCharacters: max } = settings;
  if (characters < min || characters > max) {
    throw new AccountInputError(
      'AUTH_PASSWORD_UNSUITABLE',
      path,
      `A password must have ${min} to ${max} characters; this one has ${characters}.`,
    );
  }
  return normalised;
}

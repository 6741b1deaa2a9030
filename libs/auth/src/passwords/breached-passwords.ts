import { hash } from 'node:crypto';

/** Passwords that are known from breaches of other services. */
export abstract class BreachedPasswords {
  /** Whether a normalised password is among them. */
  abstract includes(password: string): Promise<boolean>;

  /** Closes what it holds open. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** SHA-1 in upper-case hexadecimal, by which such lists are kept; nothing is protected by it. */
export function breachHashOf(password: string): string {
  return hash('sha1', password, 'hex').toUpperCase();
}

import { hash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;

/** A kind of token that says nothing by itself: 256 random bits after a prefix of the kind. */
export class OpaqueToken {
  private readonly form: RegExp;

  /** @param prefix by which secret scanners know it: letters and an underscore */
  constructor(private readonly prefix: string) {
    this.form = new RegExp(`^${prefix}[A-Za-z0-9_-]{43}$`);
  }

  /**
   * What is stored of a token, or undefined when the text cannot be one. A plain SHA-256 does: there
   * is nothing to guess in 256 random bits, and a look-up by hash tells an attacker nothing by its
   * time.
   */
  hashOf(token: string): Buffer | undefined {
    return this.form.test(token) ? hash('sha256', token, 'buffer') : undefined;
  }

  /** A new token with what is stored of it. */
  issue(): { readonly token: string; readonly tokenHash: Buffer } {
    const token = this.prefix + randomBytes(SECRET_BYTES).toString('base64url');
    return { token, tokenHash: hash('sha256', token, 'buffer') };
  }
}

/** Tokens that carry a session on. */
export const refreshTokens = new OpaqueToken('prt_');
/** Tokens by which somebody sets a new password. */
export const passwordResetTokens = new OpaqueToken('ppr_');

import { randomBytes, timingSafeEqual } from 'node:crypto';

const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const LIFE_SECONDS = 600;

/**
 * Tells a form of ours from one that another site has sent in the person's name: the same random
 * text comes in a field and in a cookie, and another site can neither read nor set the cookie.
 */
export class CsrfCookie {
  private readonly name: string;
  private readonly isSecure: boolean;

  /** @param issuer the origin of the page; over HTTPS the cookie is bound to it alone */
  constructor(issuer: string) {
    this.isSecure = issuer.startsWith('https:');
    this.name = `${this.isSecure ? '__Host-' : ''}pantheon_oauth`;
  }

  /** The text of the browser, or a new one, and the header that sets it. */
  issue(cookies: string | undefined): { readonly token: string; readonly header: string } {
    const token = this.read(cookies) ?? randomBytes(32).toString('base64url');
    const secure = this.isSecure ? '; Secure' : '';
    const header = `${this.name}=${token}; Path=/; Max-Age=${LIFE_SECONDS}; HttpOnly; SameSite=Strict${secure}`;
    return { token, header };
  }

  /** Whether the field of a form goes with the cookie that came with it. */
  matches(cookies: string | undefined, field: string | undefined): boolean {
    const token = this.read(cookies);
    if (token === undefined || field === undefined || !TOKEN.test(field)) return false;
    return timingSafeEqual(Buffer.from(token), Buffer.from(field));
  }

  private read(cookies: string | undefined): string | undefined {
    for (const pair of cookies?.split(';') ?? []) {
      const [name, value] = pair.trim().split('=', 2);
      if (name === this.name && value !== undefined && TOKEN.test(value)) return value;
    }
    return undefined;
  }
}

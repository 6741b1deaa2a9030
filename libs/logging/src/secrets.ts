/** What stands in a line in place of a secret. */
export const MASK = '***';

/** Anywhere in a name, letters and digits only, lower case. */
const SECRET_NAME =
  /password|passwd|passphrase|passcode|^pwd$|^pass$|secret|authorization|^auth$|cookie|apikey|accesskey|privatekey|signingkey|encryptionkey|credential|bearer|^jwt$|connectionstring|databaseurl|redisurl|^dsn$|token$|tokenhash$|^otp$|^pin$/;
const SECRET_LIST_NAME = /tokens$/;

/**
 * Decides which fields are secret by their names, whatever their spelling: `refreshToken`,
 * `refresh_token` and `X-Refresh-Token` alike. Decisions are remembered for a bounded number of
 * names, so that a repeated one costs a map look-up.
 */
export class SecretNames {
  private static readonly MAX_REMEMBERED = 5_000;
  private readonly remembered = new Map<string, 'secret' | 'list' | 'plain'>();
  private readonly extra: ReadonlySet<string>;

  constructor(extra: readonly string[] = []) {
    this.extra = new Set(extra.map(normalised));
  }

  /** Whether the field `name` with this value must not be shown. */
  isSecret(name: string, value: unknown): boolean {
    let kind = this.remembered.get(name);
    if (kind === undefined) {
      kind = this.kindOf(normalised(name));
      if (this.remembered.size >= SecretNames.MAX_REMEMBERED) this.remembered.clear();
      this.remembered.set(name, kind);
    }
    // `tokens: 512` counts words of a text; a list or text under that name holds secrets.
    return kind === 'secret' || (kind === 'list' && typeof value !== 'number');
  }

  private kindOf(name: string): 'secret' | 'list' | 'plain' {
    if (this.extra.has(name) || SECRET_NAME.test(name)) return 'secret';
    return SECRET_LIST_NAME.test(name) ? 'list' : 'plain';
  }
}

function normalised(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

// Each pattern is linear in the length of the text: it either starts at a place that a match of
// its own cannot contain, or its repetitions are bounded. Log input may be hostile.
const BEARER = /\b(bearer|basic)\s{1,8}[\w.~+/=-]{6,}/gi;
const JWT = /(?<![\w-])eyJ[\w-]{6,}\.[\w-]+\.[\w-]*/g;
/** Our own keys, tokens, codes and client secrets, by their prefixes. */
const OWN = /(?<![\w-])p(?:an|rt|pr|or|oc|cs)_[\w-]{43,128}/g;
/** Up to the last @ before a slash; where that fails, a password may hold slashes but no port. */
const URL_PASSWORD =
  /(:\/\/[^\s:/@"'`]{0,256}:)(?:[^\s/"'`]{1,512}@|(?!\d+(?:[/?#\s]|$))[^\s"'`]{1,128}@)/g;
/** `password=…` of connection strings and query strings, and `"password":"…"` of quoted JSON. */
const ASSIGNED =
  /((?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key)\w{0,16}\\?["']?\s?[=:]\s?)(?:(\\?["'])(?:(?!\2)[^]){1,4096}|(?<==\s?)[^\s&;,"'\\]+)/gi;
const HEADER = /\b((?:set-)?cookie|authorization|x-api-key):[^\r\n"']+/gi;
/** PostgreSQL's `Key (token)=(…) already exists`. */
const KEY_DETAIL =
  /(\([^()]{0,100}(?:password|secret|token|key_hash|api_key)[^()]{0,100}\)=\()[^)]{0,2048}\)/gi;

/**
 * Masks the secrets inside a text: bearer and basic credentials, JSON web tokens, our keys, passwords in
 * URLs, header lines, `password=…` and quoted JSON. Each pattern runs only where its cheap sign
 * is found, for most texts hold none.
 */
export function maskSecretsIn(text: string): string {
  if (!MAY_HOLD_SECRET.test(text)) return text;
  const lower = text.toLowerCase();
  const has = (sign: string): boolean => lower.includes(sign);
  let masked = text;
  if (has('bearer') || has('basic')) masked = masked.replace(BEARER, `$1 ${MASK}`);
  if (has('eyj')) masked = masked.replace(JWT, MASK);
  if (OWN_SIGN.test(text)) masked = masked.replace(OWN, MASK);
  if (has('://') && has('@')) masked = masked.replace(URL_PASSWORD, `$1${MASK}@`);
  if (ASSIGNED_SIGNS.some(has)) {
    masked = masked.replace(ASSIGNED, `$1$2${MASK}`).replace(HEADER, `$1: ${MASK}`);
    if (has(')=(')) masked = masked.replace(KEY_DETAIL, `$1${MASK})`);
  }
  return masked;
}

const OWN_SIGN = /p(?:an|rt|pr|or|oc|cs)_/;
const MAY_HOLD_SECRET = /[:=]|earer|basic|eyJ|p(?:an|rt|pr|or|oc|cs)_/i;
const ASSIGNED_SIGNS = ['pass', 'pwd', 'secret', 'token', 'key', 'cookie', 'authorization'];

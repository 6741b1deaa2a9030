import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** By this secret scanners know our keys, and a request a key from an access token. */
export const API_KEY_PREFIX = 'pan_';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 95 bits: enough that no two keys meet. */
const ID_CHARACTERS = 16;
/** 256 bits. */
const SECRET_CHARACTERS = 43;
const CHECK_CHARACTERS = 6;
const BODY_CHARACTERS = ID_CHARACTERS + SECRET_CHARACTERS;
const FORM = new RegExp(
  `^${API_KEY_PREFIX}([0-9A-Za-z]{${BODY_CHARACTERS}})([0-9A-Za-z]{${CHECK_CHARACTERS}})$`,
);

/** A key to be given out once, and what is kept of it. */
export interface NewApiKeyText {
  readonly text: string;
  readonly lookupId: string;
  readonly hash: Buffer;
}

/**
 * A new key: `pan_`, 16 characters by which it is found, 43 of secret, and 6 of check sum, all
 * letters and digits, so that a double click selects it whole.
 */
export function newApiKeyText(): NewApiKeyText {
  const body = randomText(BODY_CHARACTERS);
  const text = `${API_KEY_PREFIX}${body}${checkOf(body)}`;
  return { text, lookupId: body.slice(0, ID_CHARACTERS), hash: apiKeyHash(text) };
}

/**
 * The characters by which a key is found; undefined when the text cannot be a key, so that typing
 * errors and guesses cost no look-up.
 */
export function lookupIdOf(text: string): string | undefined {
  const [, body, check] = FORM.exec(text) ?? [];
  if (body === undefined || check !== checkOf(body)) return undefined;
  return body.slice(0, ID_CHARACTERS);
}

/**
 * What is kept of a key. A plain SHA-256 does, unlike for a password: whoever has the hash would
 * have to go through 2^256 secrets, and a slow hash would only make each request slow.
 */
export function apiKeyHash(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** The checksum is no secret and no protection; it tells a mistyped key from a wrong one. */
function checkOf(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let at = 0; at < CHECK_CHARACTERS; at += 1) {
    text = ALPHABET.charAt(rest % ALPHABET.length) + text;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}

function randomText(characters: number): string {
  // Bytes from the last, incomplete round of the alphabet are left out, or its start would be likelier.
  const fair = 256 - (256 % ALPHABET.length);
  let text = '';
  while (text.length < characters) {
    for (const byte of randomBytes(characters)) {
      if (byte < fair && text.length < characters) text += ALPHABET.charAt(byte % ALPHABET.length);
    }
  }
  return text;
}

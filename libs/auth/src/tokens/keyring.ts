import type { SigningKeyPair } from './signing-key-pair.js';

/** A key pair and the time of each part that it plays. */
export interface RingKey extends SigningKeyPair {
  readonly generation: number;
  readonly createdAt: Date;
  readonly signsFrom: Date;
  /** When no token that it signed is alive any more; null while no key follows it. */
  readonly expiresAt: Date | null;
}

/**
 * What a key is for at a moment: it is published before it signs, and verifies after it did, so that
 * nobody meets a token whose key they cannot know.
 *
 * next → signing → verifying → gone
 */
export type KeyPart = 'next' | 'signing' | 'verifying';

/** The signing keys as they were stored at one moment. */
export class Keyring {
  private readonly byId: ReadonlyMap<string, RingKey>;

  /** @param keys one or more, newest generation first */
  constructor(readonly keys: readonly RingKey[]) {
    this.byId = new Map(keys.map((key) => [key.kid, key]));
  }

  /** The newest key whose time to sign has come; before the time of the first, the oldest. */
  signing(nowMs: number): RingKey | undefined {
    return this.keys.find(({ signsFrom }) => signsFrom.getTime() <= nowMs) ?? this.keys.at(-1);
  }

  get newest(): RingKey | undefined {
    return this.keys[0];
  }

  /** The key of this id, unless its time is over. */
  find(kid: string, nowMs: number): RingKey | undefined {
    const key = this.byId.get(kid);
    return key !== undefined && isAlive(key, nowMs) ? key : undefined;
  }

  has(kid: string): boolean {
    return this.byId.has(kid);
  }

  /** Every key by which a token may be verified now or soon. */
  published(nowMs: number): RingKey[] {
    return this.keys.filter((key) => isAlive(key, nowMs));
  }

  partOf(key: RingKey, nowMs: number): KeyPart {
    const signing = this.signing(nowMs);
    if (signing === undefined || key.generation === signing.generation) return 'signing';
    return key.generation > signing.generation ? 'next' : 'verifying';
  }
}

function isAlive({ expiresAt }: RingKey, nowMs: number): boolean {
  return expiresAt === null || expiresAt.getTime() > nowMs;
}

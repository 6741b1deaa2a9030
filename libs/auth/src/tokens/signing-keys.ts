import {
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  Optional,
} from '@nestjs/common';
import { Caches, cacheInvalidation, cacheState } from '#libs/cache';
import { SettingsStore } from '#libs/config';
import { BackgroundTasks, Clock } from '#libs/core';
import { authEvents } from '../auth.events.js';
import { ACCESS_TOKEN_MAX_SECONDS, authSettings } from '../auth.settings.js';
import { Keyring, type RingKey } from './keyring.js';
import { SigningKeyStore } from './signing-key.store.js';
import { SigningKeyVault } from './signing-key.vault.js';

/** Invalidated when keys were added or withdrawn, so that the other processes read them anew. */
const KEYS_TAG = 'auth:signing-keys';
/** Every process sees keys that others made within this time, also when no message reaches it. */
const RELOAD_INTERVAL_MS = 30_000;
/** A token with an unknown key id makes us look for new keys at most this often. */
const UNKNOWN_KEY_INTERVAL_MS = 10_000;
/** Room for what has not been heard of yet, and for clocks that differ. */
const MARGIN_SECONDS = 60;
const DAY_MS = 86_400_000;

/**
 * The key pairs of this installation, one of which signs. They live in the database. The first
 * process to start makes the first; whoever reads them when `signingKeyRotationDays` are over makes
 * the next. When several do so at once, one wins and all use it.
 *
 * A new key is published for two lives of a cached key set before it signs, and an old one verifies
 * until no token that it signed can be alive. So a rotation is noticed by nobody.
 */
@Injectable()
export class SigningKeys implements OnApplicationBootstrap, OnApplicationShutdown {
  private ring: Keyring | undefined;
  private loading: Promise<Keyring> | undefined;
  private loadedAtMs = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private epochs = 0;
  private loads = 0;
  private ringLoad = 0;
  private readonly stops: (() => void)[] = [];
  private readonly tasks = new BackgroundTasks((error) => {
    authEvents.publish(() => ({ type: 'signing-keys-unread', error }));
  });

  constructor(
    private readonly store: SigningKeyStore,
    private readonly vault: SigningKeyVault,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
    @Optional() private readonly caches?: Caches,
  ) {}

  /** Moves on when a key is gone: what was verified before has to be verified again. */
  get epoch(): number {
    return this.epochs;
  }

  onApplicationBootstrap(): void {
    this.stops.push(
      cacheInvalidation.subscribe(({ names, isRemote }) => {
        if (isRemote && names.includes(`t:${KEYS_TAG}`)) this.refresh();
      }),
      cacheState.subscribe(({ state }) => {
        if (state === 'in-sync') this.refresh();
      }),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.timer);
    for (const stop of this.stops.splice(0)) stop();
    await this.tasks.drain();
  }

  /** The key that signs. @throws SigningKeyUnreadableError */
  async current(): Promise<RingKey> {
    const key = (this.ring ?? (await this.keyring())).signing(this.clock.nowMs());
    if (key === undefined) throw new Error('The signing key that was just stored is gone.');
    return key;
  }

  /** The key that a token names, or undefined. */
  async find(kid: string): Promise<RingKey | undefined> {
    const ring = this.ring ?? (await this.keyring());
    const current = ring.has(kid) ? ring : await this.newerThan(ring);
    return current.find(kid, this.clock.nowMs());
  }

  /** The keys as they are now, newest first. */
  async all(): Promise<Keyring> {
    return this.ring ?? this.keyring();
  }

  /**
   * Makes the next key, which signs after it was published for long enough; nothing when there is
   * a next one already.
   * @param by id of the user who wants it
   */
  async rotate(by?: string): Promise<Keyring> {
    const ring = await this.load();
    const { newest } = ring;
    if (newest !== undefined && newest.signsFrom.getTime() > this.clock.nowMs()) return ring;
    await this.addNext(newest?.generation ?? 0, by);
    return this.changed();
  }

  /** Makes a key that signs at once, and lets no token pass that another one has signed. */
  async withdraw(by?: string): Promise<Keyring> {
    for (;;) {
      const { newest } = await this.load();
      const now = this.clock.now();
      const key = await this.vault.generate((newest?.generation ?? 0) + 1, now, now);
      // Otherwise somebody else made a key just now; it is to go, too.
      if (!(await this.store.add(key, null))) continue;
      this.tell('withdrawn', key.kid, by);
      return this.changed();
    }
  }

  private async changed(): Promise<Keyring> {
    const ring = await this.load();
    await this.caches?.invalidateTags([KEYS_TAG]);
    return ring;
  }

  private newerThan(ring: Keyring): Keyring | Promise<Keyring> {
    // Somebody has told of a change: the key may be in it.
    if (this.loading !== undefined) return this.loading;
    const isSettled = this.clock.monotonicMs() - this.loadedAtMs < UNKNOWN_KEY_INTERVAL_MS;
    return isSettled ? ring : this.load();
  }

  private keyring(): Promise<Keyring> {
    // A failure is for those who wait now; the next caller tries again.
    return this.loading ?? this.load();
  }

  private refresh(): void {
    // Who has not used a key yet reads them when it does.
    if (this.ring !== undefined && !this.isClosed) this.tasks.run(() => this.load());
  }

  private load(): Promise<Keyring> {
    this.loadedAtMs = this.clock.monotonicMs();
    this.loads += 1;
    const number = this.loads;
    const loading = this.read().then((ring) => {
      // A read that began later has seen more.
      if (number > this.ringLoad) this.put(ring, number);
      return ring;
    });
    this.loading = loading;
    const ended = (): void => {
      if (this.loading === loading) this.loading = undefined;
    };
    loading.then(ended, ended);
    return loading;
  }

  private put(ring: Keyring, load: number): void {
    this.ringLoad = load;
    if (this.ring?.keys.some(({ kid }) => !ring.has(kid)) === true) this.epochs += 1;
    this.ring = ring;
    if (this.timer !== undefined || this.isClosed) return;
    this.timer = setInterval(() => this.refresh(), RELOAD_INTERVAL_MS).unref();
  }

  private async read(): Promise<Keyring> {
    let stored = await this.store.all();
    const newest = stored[0];
    if (newest === undefined) {
      const now = this.clock.now();
      await this.store.add(await this.vault.generate(1, now, now), now);
      stored = await this.store.all();
    } else if (this.isDue(newest.signsFrom)) {
      await this.addNext(newest.generation);
      stored = await this.store.all();
    }
    return new Keyring(await Promise.all(stored.map((row) => this.open(row))));
  }

  private async open(row: Parameters<SigningKeyVault['open']>[0]): Promise<RingKey> {
    const known = this.ring?.keys.find(({ kid }) => kid === row.kid);
    return known === undefined ? this.vault.open(row) : { ...known, expiresAt: row.expiresAt };
  }

  private isDue(signsFrom: Date): boolean {
    const { signingKeyRotationDays } = this.settings.get(authSettings);
    return signsFrom.getTime() + signingKeyRotationDays * DAY_MS <= this.clock.nowMs();
  }

  private async addNext(generation: number, by?: string): Promise<void> {
    const { jwksCacheSeconds } = this.settings.get(authSettings);
    const now = this.clock.now();
    const signsFrom = new Date(now.getTime() + (2 * jwksCacheSeconds + MARGIN_SECONDS) * 1000);
    const lastTokenSeconds = ACCESS_TOKEN_MAX_SECONDS + MARGIN_SECONDS;
    const key = await this.vault.generate(generation + 1, now, signsFrom);
    const expiresAt = new Date(signsFrom.getTime() + lastTokenSeconds * 1000);
    if (!(await this.store.add(key, expiresAt))) return;
    this.tell('added', key.kid, by);
  }

  private tell(action: 'added' | 'withdrawn', kid: string, by: string | undefined): void {
    authEvents.publish(() => ({
      type: 'signing-key',
      action,
      kid,
      ...(by === undefined ? {} : { by }),
    }));
  }
}

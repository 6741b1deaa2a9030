import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { authSettings } from '../auth.settings.js';
import { PasswordQueueFullError } from '../errors/auth-overload.error.js';
import { BoundedQueue } from './bounded-queue.js';

/**
 * Hashes passwords with argon2id (RFC 9106; 19 MiB, 2 passes, 1 lane, as OWASP's cheat sheet
 * advises) in libuv's thread pool. Few at once: each hash holds a thread and its memory for some
 * 20 ms, and a storm of log-ins must leave threads for files and names.
 */
@Injectable()
export class PasswordHasher {
  private readonly queue: BoundedQueue;

  constructor(private readonly settings: SettingsStore) {
    this.queue = new BoundedQueue(
      () => {
        const { passwordConcurrency, passwordQueueLimit } = settings.get(authSettings);
        return { concurrency: passwordConcurrency, queueLimit: passwordQueueLimit };
      },
      () => new PasswordQueueFullError(),
    );
  }

  /** The hash of a normalised password in PHC form. @throws PasswordQueueFullError */
  hash(password: string): Promise<string> {
    return this.queue.run(async () => (await argon2()).hash(password, this.cost()));
  }

  /**
   * Whether a normalised password belongs to `hash`. Without a hash, when there is no such
   * account, the answer is no and takes as long.
   * @throws PasswordQueueFullError
   */
  async matches(password: string, hash: string | undefined): Promise<boolean> {
    if (hash !== undefined) {
      return this.queue.run(async () => (await argon2()).verify(hash, password));
    }
    await this.hash(password);
    return false;
  }

  /** Whether a hash was made at another cost than the settings ask for now. */
  async isOutdated(hash: string): Promise<boolean> {
    const { memoryCost, timeCost } = (await argon2()).parseOptions(hash);
    const cost = this.cost();
    return memoryCost !== cost.memoryCost || timeCost !== cost.timeCost;
  }

  private cost(): { memoryCost: number; timeCost: number; parallelism: number } {
    const { passwordMemoryKib, passwordIterations } = this.settings.get(authSettings);
    return { memoryCost: passwordMemoryKib, timeCost: passwordIterations, parallelism: 1 };
  }
}

/** Loaded at first use: the native library is not needed to start. */
function argon2(): Promise<typeof import('@node-rs/argon2')> {
  return import('@node-rs/argon2');
}

import { VersionStore, type VersionRead } from './version-store.js';

/** Versions for the caches of one process. */
export class MemoryVersionStore extends VersionStore {
  readonly name = 'memory-versions';
  private readonly versions = new Map<string, number>();
  /** Microseconds at the start, so that what survives the process is not taken for valid later. */
  private clock = Date.now() * 1_000;

  read(names: readonly string[]): Promise<VersionRead> {
    const versions = names.map((name) => {
      const version = this.versions.get(name) ?? this.clock;
      this.versions.set(name, version);
      return version;
    });
    return Promise.resolve({ versions, now: this.clock });
  }

  bump(names: readonly string[]): Promise<number[]> {
    return Promise.resolve(
      names.map((name) => {
        this.clock += 1;
        this.versions.set(name, this.clock);
        return this.clock;
      }),
    );
  }
}

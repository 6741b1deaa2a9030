import type * as Cockatiel from 'cockatiel';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { BreakerNotFoundError, BreakerNotOperableError } from './errors/policy.errors.js';
import type { CircuitState } from './policy.channels.js';
import type { PolicyOptions } from './policy.options.js';
import { policySettings } from './policies.settings.js';
import { Policy } from './policy.js';
import { remainingMs } from '../deadline/deadline.js';

/** A breaker that another part has of its own, such as that of a level of the cache. */
export interface ForeignBreaker {
  readonly name: string;
  readonly state: CircuitState;
}

const NAME = /^[a-z][\w.-]{0,63}$/i;

/** The policies of a process by their names, and the breakers that other parts have. */
export class Policies {
  private readonly byName = new Map<string, Policy>();
  private readonly sources: (() => readonly ForeignBreaker[])[] = [];
  private readonly unsubscribe: () => void;
  private library: Promise<typeof Cockatiel> | undefined;

  constructor(
    private readonly store: SettingsStore,
    private readonly clock: Clock,
  ) {
    this.unsubscribe = store.onChange((changes) => {
      if (changes.some(({ path }) => path === 'resilience.policies')) this.reconfigure();
    });
  }

  /**
   * Makes the policy of a part that is called. What the setting `resilience.policies` says under its
   * name wins over `options`, also later on.
   *
   * @throws TypeError when there is one of this name, or the name is none
   */
  define(name: string, options: PolicyOptions = {}): Policy {
    if (!NAME.test(name)) throw new TypeError(`"${name}" is no name of a policy.`);
    if (this.byName.has(name)) throw new TypeError(`There is a policy "${name}" already.`);
    const policy = new Policy({
      name,
      options,
      overrides: this.overrides[name],
      clock: this.clock,
      library: () => (this.library ??= import('cockatiel')),
      remainingMs,
    });
    this.byName.set(name, policy);
    return policy;
  }

  find(name: string): Policy | undefined {
    return this.byName.get(name);
  }

  all(): readonly Policy[] {
    return [...this.byName.values()];
  }

  /** Shows breakers of other parts beside those of policies. They may come and go. */
  addSource(read: () => readonly ForeignBreaker[]): void {
    this.sources.push(read);
  }

  foreign(): readonly ForeignBreaker[] {
    return this.sources.flatMap((read) => read());
  }

  /** Holds a breaker open until `close`. @throws BreakerNotFoundError, BreakerNotOperableError */
  async open(name: string): Promise<Policy> {
    const policy = this.operable(name);
    if (!(await policy.open())) throw new BreakerNotOperableError(name);
    return policy;
  }

  /** Lets calls through again. @throws BreakerNotFoundError, BreakerNotOperableError */
  close(name: string): Policy {
    const policy = this.operable(name);
    if (!policy.close()) throw new BreakerNotOperableError(name);
    return policy;
  }

  onApplicationShutdown(): void {
    this.unsubscribe();
  }

  private get overrides() {
    return this.store.get(policySettings).policies;
  }

  private operable(name: string): Policy {
    const policy = this.byName.get(name);
    if (policy !== undefined) return policy;
    if (this.foreign().some((one) => one.name === name)) throw new BreakerNotOperableError(name);
    throw new BreakerNotFoundError(name);
  }

  private reconfigure(): void {
    for (const policy of this.byName.values()) policy.configure(this.overrides[policy.name]);
  }
}

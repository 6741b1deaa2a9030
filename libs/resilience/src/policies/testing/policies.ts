import { SettingsStore } from '#libs/config';
import { ManualClock } from '#libs/core';
import { Policies } from '../policies.js';
import { policySettings } from '../policies.settings.js';

/** Policies by a clock that the test moves. */
export function testPolicies(): {
  readonly policies: Policies;
  readonly clock: ManualClock;
  readonly store: SettingsStore;
} {
  const clock = new ManualClock();
  const store = new SettingsStore([policySettings]);
  return { policies: new Policies(store, clock), clock, store };
}

/** Something that is called, and answers when and how the test says. */
export class Part {
  calls = 0;
  isIll = false;
  private readonly held: (() => void)[] = [];

  readonly ask = (): Promise<string> => {
    this.calls += 1;
    return this.isIll
      ? Promise.reject(Object.assign(new Error('connection lost'), { code: 'ECONNRESET' }))
      : Promise.resolve('answer');
  };

  readonly hold = (): Promise<string> => {
    this.calls += 1;
    return new Promise((resolve) => {
      this.held.push(() => resolve('answer'));
    });
  };

  releaseOne(): void {
    this.held.shift()?.();
  }
}

import { SettingsStore } from '#libs/config';
import { ManualClock } from '#libs/core';
import { createContext, runWithContext } from '#libs/logging';
import { Policies } from '../policies.js';
import type { PolicyOptions } from '../policy.options.js';
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

/** The policy `part` and something to call by it. */
export function testPolicy(options: PolicyOptions = {}) {
  const parts = testPolicies();
  const policy = parts.policies.define('part', options);
  const part = new Part();
  const ask = (): Promise<string> => policy.execute(part.ask);
  /** The answers to so many calls, one after the other, or the codes of their errors. */
  const askOften = async (times: number): Promise<unknown[]> => {
    const answers: unknown[] = [];
    for (let time = 0; time < times; time += 1) {
      answers.push(await ask().catch((error: { code?: string }) => error.code));
    }
    return answers;
  };
  return { ...parts, policy, part, ask, askOften };
}

/** Runs `work` as for a request whose caller waits for so long. */
export function withDeadline<Result>(ms: number, work: () => Result): Result {
  const context = createContext();
  context.deadlineMs = performance.now() + ms;
  return runWithContext(context, work);
}

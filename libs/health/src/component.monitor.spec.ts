import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { ComponentMonitor, type ComponentReport } from './component.monitor.js';
import { HealthComponent, type HealthFinding } from './health-component.js';

class ScriptedComponent extends HealthComponent {
  readonly name = 'scripted';
  readonly required = true;
  checks = 0;
  closed = 0;
  aborted = 0;
  behaviour: () => Promise<HealthFinding> = () => Promise.resolve({ healthy: true });

  check(signal: AbortSignal): Promise<HealthFinding> {
    this.checks += 1;
    signal.addEventListener('abort', () => (this.aborted += 1));
    return this.behaviour();
  }

  override close(): Promise<void> {
    this.closed += 1;
    return Promise.resolve();
  }
}

function setUp() {
  jest.useFakeTimers();
  const component = new ScriptedComponent();
  const clock = new ManualClock();
  const changes: ComponentReport[] = [];
  const monitor = new ComponentMonitor(component, {
    intervalMs: 1_000,
    timeoutMs: 500,
    clock,
    onChange: (report) => changes.push(report),
  });
  return { component, clock, changes, monitor };
}

afterEach(() => {
  jest.useRealTimers();
});

describe('ComponentMonitor', () => {
  it('checks at once and then at each interval, and answers from the last result', async () => {
    const { component, monitor } = setUp();
    monitor.start();
    expect(await monitor.report(80)).toMatchObject({ status: 'up' });
    await jest.advanceTimersByTimeAsync(3_000);
    expect(component.checks).toBe(4);
    await monitor.report(80);
    expect(component.checks).toBe(4);
  });

  it('is down with a code when a check hangs, aborts it, and never runs two at once', async () => {
    const { component, monitor } = setUp();
    component.behaviour = () => new Promise(() => undefined);
    monitor.start();
    await jest.advanceTimersByTimeAsync(499);
    expect(component.checks).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(await monitor.report(80)).toMatchObject({
      status: 'down',
      code: 'HEALTH_CHECK_TIMED_OUT',
    });
    expect(component.aborted).toBe(1);
  });

  it('does not hold the first answer back for longer than it may', async () => {
    const { component, monitor } = setUp();
    component.behaviour = () => new Promise(() => undefined);
    monitor.start();
    const answer = monitor.report(80);
    await jest.advanceTimersByTimeAsync(80);
    expect(await answer).toMatchObject({ status: 'down', code: 'HEALTH_NOT_CHECKED_YET' });
  });

  it('tells nothing of an exception but that there was one', async () => {
    const { component, monitor } = setUp();
    component.behaviour = () => Promise.reject(new Error('password=hunter2'));
    monitor.start();
    const report = await monitor.report(80);
    expect(report).toMatchObject({ status: 'down', code: 'HEALTH_CHECK_FAILED' });
    expect(JSON.stringify(report)).not.toContain('hunter2');
  });

  it('keeps the time since which a state holds, and reports each change once', async () => {
    const { component, clock, changes, monitor } = setUp();
    monitor.start();
    const first = await monitor.report(80);
    clock.advance(60_000);
    await jest.advanceTimersByTimeAsync(1_000);
    expect((await monitor.report(80)).since).toBe(first.since);
    component.behaviour = () => Promise.resolve({ healthy: false, code: 'GONE' });
    await jest.advanceTimersByTimeAsync(2_000);
    expect((await monitor.report(80)).since).toBe(clock.now().toISOString());
    expect(changes.map(({ status, code }) => [status, code])).toEqual([
      ['up', undefined],
      ['down', 'GONE'],
    ]);
  });

  it('checks no more once it is stopped, twice without harm', async () => {
    const { component, monitor } = setUp();
    monitor.start();
    await monitor.report(80);
    await monitor.stop();
    await monitor.stop();
    await jest.advanceTimersByTimeAsync(5_000);
    expect([component.checks, component.closed]).toEqual([1, 2]);
  });
});

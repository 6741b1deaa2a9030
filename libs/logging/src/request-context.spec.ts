import { describe, expect, it } from '@jest/globals';
import {
  captureContext,
  createContext,
  currentContext,
  restoreContext,
  runBeyondDeadline,
  runWithContext,
} from './request-context.js';

describe('the request context', () => {
  it('is nothing outside of any', () => {
    expect(currentContext()).toBeUndefined();
    expect(captureContext()).toBeUndefined();
  });

  it('goes through a queue as JSON and comes out the same', () => {
    const context = createContext({
      requestId: 'r-1',
      route: '/v1/x',
      userId: 'u',
      organizationId: 'o',
      trace: { traceId: 't', spanId: 's' },
    });
    const stored = JSON.parse(
      JSON.stringify(runWithContext(context, () => captureContext())),
    ) as unknown;
    expect(restoreContext(stored)).toEqual(context);
    expect(restoreContext(stored, { jobId: 'j' })).toEqual({ ...context, jobId: 'j' });
  });

  it.each([
    undefined,
    null,
    'text',
    7,
    [],
    {},
    { requestId: '' },
    { requestId: 'x'.repeat(129) },
    { requestId: 5 },
    { requestId: 'a', trace: 'b' },
  ])('is a fresh one for what is no stored context: %j', (stored) => {
    const one = restoreContext(stored);
    const other = restoreContext(stored);
    expect(one.requestId).toMatch(/^[\w.-]{1,128}$/);
    expect(one.requestId).not.toBe(other.requestId);
  });

  it('lets work go on beyond its deadline', () => {
    const context = createContext({ requestId: 'r', deadlineMs: 5 });
    runWithContext(context, () => {
      expect(runBeyondDeadline(currentContext)).toMatchObject({
        requestId: 'r',
        deadlineMs: undefined,
      });
      expect(currentContext()).toBe(context);
    });
    expect(runBeyondDeadline(currentContext)).toBeUndefined();
  });

  it('lets the user become known later on, for all that runs in it', async () => {
    await runWithContext(createContext({ requestId: 'r' }), async () => {
      const context = currentContext();
      if (context !== undefined) context.userId = 'u';
      await Promise.resolve();
      expect(captureContext()).toEqual({ requestId: 'r', userId: 'u' });
    });
  });
});

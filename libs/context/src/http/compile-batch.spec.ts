import { describe, expect, it } from '@jest/globals';
import { PantheonError, type Principal } from '#libs/core';
import type { CompileAnswer, CompileRequest } from '../services/compile.types.js';
import { compileBatch } from './compile-batch.js';

const principal = {} as Principal;
const request = (id: string): CompileRequest => ({ sources: [{ id }] });
const answer = (id: string): CompileAnswer => ({
  messages: [{ role: 'user', content: id }],
  report: { fingerprint: id, sources: [] },
  timings: { managersMs: 0, dbMs: 0, rankMs: 0 },
  cache: 'MISS' as const,
  etag: 'W/"x"',
});

describe('compileBatch', () => {
  it('keeps the order of the requests and runs no more than allowed at once', async () => {
    let running = 0;
    let peak = 0;
    const compiler = {
      async compile(_: Principal, { sources }: CompileRequest) {
        running += 1;
        peak = Math.max(peak, running);
        const id = sources[0]?.id ?? '';
        for (let turn = 0; turn < 10 - Number(id); turn += 1) await Promise.resolve();
        running -= 1;
        return answer(id);
      },
    };
    const ids = ['0', '1', '2', '3', '4', '5', '6'];
    const items = await compileBatch(compiler, principal, ids.map(request), 3);
    expect(items.map((item) => item.status === 'ok' && item.report.fingerprint)).toEqual(ids);
    expect(peak).toBe(3);
  });

  it('answers a fault of one request in its place', async () => {
    const compiler = {
      compile: (_: Principal, { sources }: CompileRequest) =>
        sources[0]?.id === 'missing'
          ? Promise.reject(new PantheonError('SOURCE_NOT_FOUND', 'No.', { kind: 'not-found' }))
          : Promise.resolve(answer('there')),
    };
    expect(
      await compileBatch(compiler, principal, [request('missing'), request('there')], 1),
    ).toEqual([
      { status: 'failed', error: { code: 'SOURCE_NOT_FOUND', detail: 'No.' } },
      expect.objectContaining({ status: 'ok' }),
    ]);
  });

  it('fails as a whole when the platform fails', async () => {
    const down = new PantheonError('DATABASE_UNAVAILABLE', 'Down.', { kind: 'unavailable' });
    const compiler = { compile: () => Promise.reject(down) };
    await expect(compileBatch(compiler, principal, [request('a')], 2)).rejects.toBe(down);
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import { PantheonError } from '#libs/core';
import { cpuMsOf } from '../../../test/support/cpu-time.js';
import { MemoryLog } from './testing/memory-log.js';

const SECRET = 'c0rrect-h0rse';

let log: MemoryLog;

beforeEach(() => {
  log = new MemoryLog();
});

describe('RootLogger', () => {
  describe('errors', () => {
    it('are written with type, code, stack and causes', () => {
      const cause = new TypeError('below', { cause: 'a text' });
      const error = new PantheonError('THING_BROKEN', 'It broke', { kind: 'internal', cause });
      log.root.module('m').error('failed', { err: error, id: 1 });
      expect(log.last()).toMatchObject({
        id: 1,
        err: {
          type: 'PantheonError',
          code: 'THING_BROKEN',
          message: 'It broke',
          stack: expect.stringContaining('log-record.spec'),
          cause: { type: 'TypeError', message: 'below', cause: 'a text' },
        },
      });
    });

    it('may be given instead of fields, and under any name', () => {
      log.root.module('m').error('failed', new Error('one'));
      expect(log.last()).toMatchObject({ err: { message: 'one' } });
      expect(log.logged({ nested: [{ problem: new Error('two') }] })).toMatchObject({
        nested: [{ problem: { message: 'two' } }],
      });
    });

    it('are written with all their parts when there are several', () => {
      const error = new AggregateError([new Error('a'), new Error('b')], 'both');
      expect(log.logged({ err: error })).toMatchObject({
        err: { message: 'both', errors: [{ message: 'a' }, { message: 'b' }] },
      });
    });

    it('show no secret of their own, of their causes or of a statement', () => {
      const cause = Object.assign(new Error(`connect postgres://u:${SECRET}@db/x`), {
        config: { password: SECRET },
      });
      const error = Object.assign(new Error(`Bearer ${SECRET}`, { cause }), {
        query: 'INSERT INTO user_account VALUES ($1)',
        parameters: [SECRET],
        authorization: SECRET,
      });
      log.root.module('m').error(`password=${SECRET}`, new AggregateError([error], 'x'));
      expect(log.destination.lines.join('')).not.toContain(SECRET);
      expect(log.destination.lines.join('')).toContain('INSERT INTO user_account');
    });

    it('that are their own cause do not hang it', () => {
      const error = new Error('loop');
      error.cause = error;
      expect(log.logged({ err: error })).toMatchObject({ err: { cause: '[Circular]' } });
    });
  });

  describe('masking', () => {
    it('finds a secret wherever it hides', () => {
      const hiding = [
        { password: SECRET },
        { a: { b: [{ c: { refreshToken: SECRET } }] } },
        { headers: { Authorization: `Bearer ${SECRET}`, cookie: SECRET } },
        { map: new Map([['apiKey', SECRET]]) },
        { set: new Set([{ secret: SECRET }]) },
        { url: new URL(`redis://x:${SECRET}@h/0`) },
        { text: `see https://me:${SECRET}@h/x` },
        { json: JSON.stringify({ password: SECRET }) },
        { tokens: [SECRET, SECRET] },
        { credentials: { user: 'a', key: SECRET } },
        { made: { toJSON: () => ({ password: SECRET }) } },
        [{ token: SECRET }],
      ];
      for (const data of hiding) {
        log.root.module('m').info(`with token=${SECRET}`, data);
        log.root.module('m').child(data).info('x');
      }
      expect(log.destination.lines).toHaveLength(hiding.length * 2);
      expect(log.destination.lines.filter((line) => line.includes(SECRET))).toEqual([]);
    });

    it('finds a secret in any of a thousand shapes of data', () => {
      let state = 1;
      const next = (below: number): number => {
        state = (state * 48_271) % 2_147_483_647;
        return state % below;
      };
      const secretNames = ['password', 'accessToken', 'client_secret', 'Cookie', 'X-Api-Key'];
      const shape = (depth: number): unknown => {
        const leaf = { [secretNames[next(5)] ?? '']: SECRET, plain: `n${next(100)}` };
        if (depth === 0) return leaf;
        const below = shape(depth - 1);
        return [
          { below, other: next(9) },
          [below, 1],
          new Map([['k', below]]),
          Object.assign(new Error('e'), { below }),
          new Error('e', { cause: below }),
          { toJSON: () => below },
        ][next(6)];
      };
      for (let at = 0; at < 1_000; at += 1)
        log.root.module('m').info('x', { data: shape(next(6)) });
      expect(log.destination.lines).toHaveLength(1_000);
      expect(log.destination.lines.filter((line) => line.includes(SECRET))).toEqual([]);
      expect(log.destination.lines.some((line) => line.includes('n7'))).toBe(true);
    });

    it('shows that there was none', () => {
      expect(log.logged({ password: null, token: undefined })).toMatchObject({ password: null });
    });

    it('takes further names at run time', () => {
      expect(log.logged({ nickname: 'x' })).toMatchObject({ nickname: 'x' });
      log.root.setRedactKeys(['nick_name']);
      expect(log.logged({ nickname: 'x' })).toMatchObject({ nickname: '***' });
    });
  });

  describe('whatever it is given', () => {
    it('writes a line that can be parsed', () => {
      const circular: Record<string, unknown> = { name: 'c' };
      circular['self'] = circular;
      const throwing = {
        get boom(): never {
          throw new Error('no');
        },
      };
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      const odd = {
        circular,
        throwing,
        proxy,
        big: 10n ** 30n,
        nan: Number.NaN,
        infinite: -Infinity,
        symbol: Symbol('s'),
        run: () => 1,
        date: new Date(0),
        noDate: new Date(Number.NaN),
        bytes: Buffer.alloc(9),
        nothing: Object.create(null) as object,
        broken: 'half \uD83D',
        json: {
          toJSON: () => {
            throw new Error('no');
          },
        },
        // oxlint-disable-next-line no-proto -- somebody may send it
        ...(JSON.parse('{"__proto__":{"polluted":true}}') as object),
      };
      expect(log.logged(odd)).toMatchObject({
        circular: { name: 'c', self: '[Circular]' },
        throwing: '[Unreadable]',
        big: '1000000000000000000000000000000',
        nan: 'NaN',
        infinite: '-Infinity',
        date: '1970-01-01T00:00:00.000Z',
        noDate: null,
        bytes: '[9 bytes]',
        json: '[Unreadable]',
      });
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    });

    it('shows the same object twice when it stands beside itself', () => {
      const shared = { a: 1 };
      expect(log.logged({ one: shared, two: shared })).toMatchObject({
        one: { a: 1 },
        two: { a: 1 },
      });
    });

    it('keeps lines short enough not to hold the event loop', () => {
      const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`k${at}`, at]));
      const wider = Array.from({ length: 30 }, () => ({ ...wide }));
      const texts = Array.from({ length: 100 }, () => 'password=1 '.repeat(10_000));
      let deep: object = {};
      for (let at = 0; at < 10_000; at += 1) deep = { deep };
      const text = 'x'.repeat(10_000_000);
      const list = Array(100_000).fill('y');
      const cpuMs = cpuMsOf(() => {
        log.logged({ text, deep, wider, list });
        log.logged({ texts });
      });
      expect(cpuMs).toBeLessThan(500);
      for (const line of log.destination.lines) expect(line.length).toBeLessThan(100_000);
      expect(log.destination.records[0]?.['text']).toHaveLength(16_385);
    });
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import { PantheonError } from '#libs/core';
import { MemoryLogDestination } from './log-destination.js';
import { createContext, runWithContext } from './request-context.js';
import { RootLogger } from './root-logger.js';
import { cpuMsOf } from '../../../test/support/cpu-time.js';

const SECRET = 'c0rrect-h0rse';

let destination: MemoryLogDestination;
let root: RootLogger;

beforeEach(() => {
  destination = new MemoryLogDestination();
  root = new RootLogger({ destination, service: 'test', levels: { default: 'trace' } });
});

function last(): Record<string, unknown> {
  return destination.records.at(-1) ?? {};
}

function logged(data: object): Record<string, unknown> {
  root.module('m').info('text', data);
  return last();
}

describe('RootLogger', () => {
  it('writes one line of JSON with time, level, service, module, fields and message', () => {
    root.module('jobs').warn('It went\nwrong', { attempt: 2, ok: false, none: null });
    expect(destination.lines).toHaveLength(1);
    expect(destination.lines[0]).toMatch(/^\{.*\}\n$/);
    expect(last()).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      service: 'test',
      pid: process.pid,
      module: 'jobs',
      attempt: 2,
      ok: false,
      none: null,
      msg: 'It went\nwrong',
    });
  });

  it('tells the time', () => {
    const before = Date.now();
    for (let at = 0; at < 1_000; at += 1) root.module('m').info('x');
    const times = destination.records.map(({ time }) => Date.parse(String(time)));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(before);
    expect(Math.max(...times)).toBeLessThanOrEqual(Date.now());
  });

  it('takes a message literally', () => {
    root.module('m').info('100 %s sure %o %d', { a: 1 });
    expect(last()).toMatchObject({ msg: '100 %s sure %o %d', a: 1 });
  });

  it('does not let fields of a caller pass for its own', () => {
    expect(logged({ level: 'fatal', time: 0, module: 'x', msg: 'y', pid: 1 })).toMatchObject({
      level: 'info',
      module: 'm',
      msg: 'text',
      level_: 'fatal',
      module_: 'x',
      msg_: 'y',
    });
    const names = [...(destination.lines[0] ?? '').matchAll(/"(\w+)":/g)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  describe('levels', () => {
    it('write what is at the level or above', () => {
      root.setLevels({ default: 'warn' });
      const logger = root.module('m');
      for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) {
        logger[level](level);
        expect(logger.isLevelEnabled(level)).toBe(['warn', 'error', 'fatal'].includes(level));
      }
      expect(destination.records.map(({ level }) => level)).toEqual(['warn', 'error', 'fatal']);
    });

    it('change at run time for loggers already given out, their children too', () => {
      const jobs = root.module('jobs');
      const child = jobs.child({ queue: 'mail' });
      const other = root.module('other');
      root.setLevels({ default: 'error', jobs: 'debug' });
      for (const logger of [jobs, child, other]) logger.debug('now');
      expect(destination.records).toHaveLength(2);
      root.setLevels({ default: 'silent' });
      for (const logger of [jobs, child, other]) logger.fatal('never');
      expect(destination.records).toHaveLength(2);
    });

    it('of a module hold for what is below it, unless that has its own', () => {
      root.setLevels({ default: 'info', jobs: 'error', 'jobs.mail': 'debug' });
      const enabled = (name: string): boolean => root.module(name).isLevelEnabled('info');
      expect(
        ['jobs', 'jobs.purge', 'jobs.mail', 'jobs.mail.smtp', 'jobsx', ''].map(enabled),
      ).toEqual([false, false, true, true, true, true]);
    });

    it('do not come from the prototype of an object', () => {
      expect(root.module('constructor').isLevelEnabled('trace')).toBe(true);
      expect(root.module('toString').isLevelEnabled('trace')).toBe(true);
    });
  });

  describe('request context', () => {
    it('stands in every line of what a request starts, and in no other', async () => {
      const logger = root.module('m');
      await Promise.all(
        ['a', 'b'].map((requestId) =>
          runWithContext(createContext({ requestId, route: '/x/:id', userId: 'u' }), async () => {
            logger.info(requestId);
            await new Promise((resolve) => setTimeout(resolve, 5));
            logger.child({ deep: true }).info(requestId);
          }),
        ),
      );
      logger.info('outside');
      const lines = destination.records.map(({ msg, requestId, route, userId }) => ({
        msg,
        requestId,
        route,
        userId,
      }));
      expect(lines).toHaveLength(5);
      for (const line of lines.slice(0, 4)) {
        expect(line).toEqual({ msg: line.msg, requestId: line.msg, route: '/x/:id', userId: 'u' });
      }
      expect(lines[4]).toEqual({ msg: 'outside' });
    });

    it('carries the ids of a job and a trace', () => {
      const trace = { traceId: 't'.repeat(32), spanId: 's'.repeat(16) };
      runWithContext(createContext({ requestId: 'r', jobId: 'j', trace }), () => logged({}));
      expect(last()).toMatchObject({ requestId: 'r', jobId: 'j', ...trace });
    });
  });

  describe('errors', () => {
    it('are written with type, code, stack and causes', () => {
      const cause = new TypeError('below', { cause: 'a text' });
      const error = new PantheonError('THING_BROKEN', 'It broke', { kind: 'internal', cause });
      root.module('m').error('failed', { err: error, id: 1 });
      expect(last()).toMatchObject({
        id: 1,
        err: {
          type: 'PantheonError',
          code: 'THING_BROKEN',
          message: 'It broke',
          stack: expect.stringContaining('root-logger.spec'),
          cause: { type: 'TypeError', message: 'below', cause: 'a text' },
        },
      });
    });

    it('may be given instead of fields, and under any name', () => {
      root.module('m').error('failed', new Error('one'));
      expect(last()).toMatchObject({ err: { message: 'one' } });
      expect(logged({ nested: [{ problem: new Error('two') }] })).toMatchObject({
        nested: [{ problem: { message: 'two' } }],
      });
    });

    it('are written with all their parts when there are several', () => {
      const error = new AggregateError([new Error('a'), new Error('b')], 'both');
      expect(logged({ err: error })).toMatchObject({
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
      root.module('m').error(`password=${SECRET}`, new AggregateError([error], 'x'));
      expect(destination.lines.join('')).not.toContain(SECRET);
      expect(destination.lines.join('')).toContain('INSERT INTO user_account');
    });

    it('that are their own cause do not hang it', () => {
      const error = new Error('loop');
      error.cause = error;
      expect(logged({ err: error })).toMatchObject({ err: { cause: '[Circular]' } });
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
        root.module('m').info(`with token=${SECRET}`, data);
        root.module('m').child(data).info('x');
      }
      expect(destination.lines).toHaveLength(hiding.length * 2);
      expect(destination.lines.filter((line) => line.includes(SECRET))).toEqual([]);
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
      for (let at = 0; at < 1_000; at += 1) root.module('m').info('x', { data: shape(next(6)) });
      expect(destination.lines).toHaveLength(1_000);
      expect(destination.lines.filter((line) => line.includes(SECRET))).toEqual([]);
      expect(destination.lines.some((line) => line.includes('n7'))).toBe(true);
    });

    it('shows that there was none', () => {
      expect(logged({ password: null, token: undefined })).toMatchObject({ password: null });
    });

    it('takes further names at run time', () => {
      expect(logged({ nickname: 'x' })).toMatchObject({ nickname: 'x' });
      root.setRedactKeys(['nick_name']);
      expect(logged({ nickname: 'x' })).toMatchObject({ nickname: '***' });
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
      expect(logged(odd)).toMatchObject({
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
      expect(logged({ one: shared, two: shared })).toMatchObject({ one: { a: 1 }, two: { a: 1 } });
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
        logged({ text, deep, wider, list });
        logged({ texts });
      });
      expect(cpuMs).toBeLessThan(500);
      for (const line of destination.lines) expect(line.length).toBeLessThan(100_000);
      expect(destination.records[0]?.['text']).toHaveLength(16_385);
    });
  });
});

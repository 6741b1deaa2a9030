import { beforeEach, describe, expect, it } from '@jest/globals';
import { createContext, runWithContext } from './request-context.js';
import { MemoryLog } from './testing/memory-log.js';

let log: MemoryLog;

beforeEach(() => {
  log = new MemoryLog();
});

describe('RootLogger', () => {
  it('writes one line of JSON with time, level, service, module, fields and message', () => {
    log.root.module('jobs').warn('It went\nwrong', { attempt: 2, ok: false, none: null });
    expect(log.destination.lines).toHaveLength(1);
    expect(log.destination.lines[0]).toMatch(/^\{.*\}\n$/);
    expect(log.last()).toEqual({
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
    for (let at = 0; at < 1_000; at += 1) log.root.module('m').info('x');
    const times = log.destination.records.map(({ time }) => Date.parse(String(time)));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(before);
    expect(Math.max(...times)).toBeLessThanOrEqual(Date.now());
  });

  it('takes a message literally', () => {
    log.root.module('m').info('100 %s sure %o %d', { a: 1 });
    expect(log.last()).toMatchObject({ msg: '100 %s sure %o %d', a: 1 });
  });

  it('does not let fields of a caller pass for its own', () => {
    expect(log.logged({ level: 'fatal', time: 0, module: 'x', msg: 'y', pid: 1 })).toMatchObject({
      level: 'info',
      module: 'm',
      msg: 'text',
      level_: 'fatal',
      module_: 'x',
      msg_: 'y',
    });
    const names = [...(log.destination.lines[0] ?? '').matchAll(/"(\w+)":/g)].map(
      ([, name]) => name,
    );
    expect(new Set(names).size).toBe(names.length);
  });

  describe('levels', () => {
    it('write what is at the level or above', () => {
      log.root.setLevels({ default: 'warn' });
      const logger = log.root.module('m');
      for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) {
        logger[level](level);
        expect(logger.isLevelEnabled(level)).toBe(['warn', 'error', 'fatal'].includes(level));
      }
      expect(log.destination.records.map(({ level }) => level)).toEqual(['warn', 'error', 'fatal']);
    });

    it('change at run time for loggers already given out, their children too', () => {
      const jobs = log.root.module('jobs');
      const child = jobs.child({ queue: 'mail' });
      const other = log.root.module('other');
      log.root.setLevels({ default: 'error', jobs: 'debug' });
      for (const logger of [jobs, child, other]) logger.debug('now');
      expect(log.destination.records).toHaveLength(2);
      log.root.setLevels({ default: 'silent' });
      for (const logger of [jobs, child, other]) logger.fatal('never');
      expect(log.destination.records).toHaveLength(2);
    });

    it('of a module hold for what is below it, unless that has its own', () => {
      log.root.setLevels({ default: 'info', jobs: 'error', 'jobs.mail': 'debug' });
      const enabled = (name: string): boolean => log.root.module(name).isLevelEnabled('info');
      expect(
        ['jobs', 'jobs.purge', 'jobs.mail', 'jobs.mail.smtp', 'jobsx', ''].map(enabled),
      ).toEqual([false, false, true, true, true, true]);
    });

    it('do not come from the prototype of an object', () => {
      expect(log.root.module('constructor').isLevelEnabled('trace')).toBe(true);
      expect(log.root.module('toString').isLevelEnabled('trace')).toBe(true);
    });
  });

  describe('request context', () => {
    it('stands in every line of what a request starts, and in no other', async () => {
      const logger = log.root.module('m');
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
      const lines = log.destination.records.map(({ msg, requestId, route, userId }) => ({
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
      runWithContext(createContext({ requestId: 'r', jobId: 'j', trace }), () => log.logged({}));
      expect(log.last()).toMatchObject({ requestId: 'r', jobId: 'j', ...trace });
    });
  });
});

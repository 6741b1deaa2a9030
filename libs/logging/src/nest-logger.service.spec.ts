import { beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { MemoryLogDestination } from './log-destination.js';
import { NestLoggerService } from './nest-logger.service.js';
import { RootLogger } from './root-logger.js';

let destination: MemoryLogDestination;

beforeEach(() => {
  destination = new MemoryLogDestination();
  const root = new RootLogger({ destination, service: 'test', levels: { default: 'trace' } });
  Logger.overrideLogger(new NestLoggerService(root));
});

describe('NestLoggerService', () => {
  it('writes the lines of a Nest logger under its context as module', () => {
    const logger = new Logger('MailService');
    logger.log('sent', { to: 'a' });
    logger.verbose('details');
    expect(destination.records).toMatchObject([
      { level: 'info', module: 'MailService', msg: 'sent', details: [{ to: 'a' }] },
      { level: 'trace', module: 'MailService', msg: 'details' },
    ]);
  });

  it('writes an error with its stack, however it is given', () => {
    const logger = new Logger('MailService');
    const error = new Error('lost');
    logger.error(error);
    logger.error('not sent', error.stack);
    expect(destination.records).toMatchObject([
      { level: 'error', module: 'MailService', msg: 'lost', err: { stack: error.stack } },
      { level: 'error', module: 'MailService', msg: 'not sent', stack: error.stack },
    ]);
  });

  it('writes what has no context, and objects as text', () => {
    new Logger().warn({ a: 1 });
    expect(destination.records).toMatchObject([{ level: 'warn', module: 'nest', msg: '{"a":1}' }]);
  });

  it('keeps what Nest says of each route at its start to debug', () => {
    new Logger('RouterExplorer').log('Mapped {/health, GET} route');
    expect(destination.records).toMatchObject([{ level: 'debug', module: 'RouterExplorer' }]);
  });
});

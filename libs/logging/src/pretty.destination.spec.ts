import { describe, expect, it } from '@jest/globals';
import { MemoryLogDestination } from './log-destination.js';
import { PrettyLogDestination } from './pretty.destination.js';
import { RootLogger } from './root-logger.js';

function lines(write: (root: RootLogger) => void, colours = false): string[] {
  const memory = new MemoryLogDestination();
  const destination = new PrettyLogDestination(memory, colours);
  write(new RootLogger({ destination, service: 'test' }));
  return memory.lines;
}

describe('PrettyLogDestination', () => {
  it('writes time, level, module, message and fields for people', () => {
    const [line] = lines((root) => root.module('jobs').info('done', { count: 3, name: 'a b' }));
    expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO  \[jobs\] done count=3 name="a b"\n$/);
  });

  it('writes the stack of an error and its cause', () => {
    const error = new Error('lost', { cause: new Error('deep') });
    const [line] = lines((root) => root.module('jobs').error('failed', { err: error }));
    expect(line).toContain('ERROR [jobs] failed\nError: lost\n    at ');
    expect(line).toContain('"message":"deep"');
  });

  it('is coloured where that is wanted', () => {
    const [line] = lines((root) => root.module('jobs').warn('odd'), true);
    expect(line).toContain('\u001B[33mWARN \u001B[0m');
  });
});

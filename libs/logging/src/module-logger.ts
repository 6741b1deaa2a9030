import type { Logger as PinoLogger } from 'pino';
import { LEVEL_NUMBERS, type LineLevel } from './log-level.js';
import type { LevelGate, RootLogger } from './root-logger.js';

/**
 * Writes the lines of one module: a sentence, and data as fields. An `Error` given as data, or
 * in a field, is written with its stack and causes. A level that is off costs one comparison.
 */
export class ModuleLogger {
  constructor(
    private readonly root: RootLogger,
    private readonly target: PinoLogger,
    private readonly gate: LevelGate,
    readonly name: string,
  ) {}

  isLevelEnabled(level: LineLevel): boolean {
    return LEVEL_NUMBERS[level] >= this.gate.number;
  }

  /** A logger of the same module and level, with more fields in each of its lines. */
  child(fields: object): ModuleLogger {
    const target = this.target.child(this.root.maskedBindings(fields));
    return new ModuleLogger(this.root, target, this.gate, this.name);
  }

  /** The logger of another module of the same log. */
  module(name: string): ModuleLogger {
    return this.root.module(name);
  }

  trace(message: string, data?: object): void {
    if (this.gate.number <= LEVEL_NUMBERS.trace) this.write('trace', message, data);
  }

  debug(message: string, data?: object): void {
    if (this.gate.number <= LEVEL_NUMBERS.debug) this.write('debug', message, data);
  }

  info(message: string, data?: object): void {
    if (this.gate.number <= LEVEL_NUMBERS.info) this.write('info', message, data);
  }

  warn(message: string, data?: object): void {
    if (this.gate.number <= LEVEL_NUMBERS.warn) this.write('warn', message, data);
  }

  error(message: string, data?: object): void {
    if (this.gate.number <= LEVEL_NUMBERS.error) this.write('error', message, data);
  }

  fatal(message: string, data?: object): void {
    if (this.gate.number <= LEVEL_NUMBERS.fatal) this.write('fatal', message, data);
  }

  private write(level: LineLevel, message: string, data: object | undefined): void {
    this.root.write(this.target, level, message, data);
  }
}

import { pino, type Logger as PinoLogger } from 'pino';
import {
  LEVEL_NUMBERS,
  levelOf,
  type LineLevel,
  type LogLevel,
  type LogLevels,
} from './log-level.js';
import type { LogDestination } from './log-destination.js';
import { type LogRecord, RecordCopier } from './log-record.js';
import { isoTime } from './iso-time.js';
import { ModuleLogger } from './module-logger.js';
import { currentContext } from './request-context.js';
import { SecretNames } from './secrets.js';

export interface RootLoggerOptions {
  readonly destination: LogDestination;
  /** Which program writes: `api`, `worker`; stands in every line. */
  readonly service: string;
  readonly levels?: LogLevels;
  /** Names of secret fields besides the built-in ones. */
  readonly redactKeys?: readonly string[];
  /** Default: 16384. */
  readonly maxStringChars?: number;
  /** How long `close` waits for a slow reader. Default: 3000. */
  readonly exitFlushTimeoutMs?: number;
}

/** A level that can change while the program runs, shared by all loggers of a module. */
export interface LevelGate {
  level: LogLevel;
  number: number;
}

const LIMITS = { maxDepth: 8, maxItems: 100, maxValues: 1_000, maxTotalChars: 65_536 };
/** Names that each line has already; a caller's field of the same name gets a `_`. */
const RESERVED = ['level', 'time', 'service', 'pid', 'module', 'msg'] as const;
const DEFAULT_MAX_STRING_CHARS = 16_384;
const DEFAULT_EXIT_FLUSH_TIMEOUT_MS = 3_000;

/**
 * The one log of a program. Gives each module its logger, whose level can change at run time,
 * and writes structured lines with the ids of the current request in them and without secrets.
 */
export class RootLogger {
  readonly destination: LogDestination;
  readonly service: string;
  private readonly pino: PinoLogger;
  private readonly modules = new Map<string, ModuleLogger>();
  private readonly gates = new Map<string, LevelGate>();
  private readonly releases: (() => void)[] = [];
  private levelsInForce: LogLevels;
  private copier: RecordCopier;
  /** Of the line that pino is about to hand over; it gives its stream the text alone. */
  private levelOfLine = LEVEL_NUMBERS.info;

  constructor(private readonly options: RootLoggerOptions) {
    this.destination = options.destination;
    this.service = options.service;
    this.levelsInForce = options.levels ?? {};
    this.copier = this.makeCopier(options.redactKeys ?? []);
    this.pino = pino(
      {
        level: 'trace',
        base: { service: options.service, pid: process.pid },
        timestamp: () => `,"time":"${isoTime(Date.now())}"`,
        formatters: { level: (label) => ({ level: label }) },
        // Errors come here copied already, with their causes as fields.
        serializers: { err: (copied: unknown) => copied },
        depthLimit: LIMITS.maxDepth + 2,
        edgeLimit: LIMITS.maxItems + 2,
      },
      { write: (line: string) => this.destination.write(line, this.levelOfLine) },
    );
  }

  /** The logger of a module; the same name gives the same logger. Dots make a hierarchy. */
  module(name: string): ModuleLogger {
    let logger = this.modules.get(name);
    if (logger === undefined) {
      logger = new ModuleLogger(this, this.pino.child({ module: name }), this.gateOf(name), name);
      this.modules.set(name, logger);
    }
    return logger;
  }

  get levels(): LogLevels {
    return this.levelsInForce;
  }

  /** Puts other levels in force, for the loggers already given out too. */
  setLevels(levels: LogLevels): void {
    this.levelsInForce = levels;
    for (const [name, gate] of this.gates) {
      gate.level = levelOf(levels, name);
      gate.number = LEVEL_NUMBERS[gate.level];
    }
  }

  setRedactKeys(names: readonly string[]): void {
    this.copier = this.makeCopier(names);
  }

  /** Writes a line. For `ModuleLogger`; everybody else asks a module's logger. */
  write(to: PinoLogger, level: LineLevel, message: string, data: object | undefined): void {
    const number = LEVEL_NUMBERS[level];
    if (!this.destination.accepts(number)) return;
    const record: LogRecord = {};
    const context = currentContext();
    if (context !== undefined) {
      record['requestId'] = context.requestId;
      if (context.route !== undefined) record['route'] = context.route;
      if (context.jobId !== undefined) record['jobId'] = context.jobId;
      if (context.userId !== undefined) record['userId'] = context.userId;
      if (context.trace !== undefined) {
        record['traceId'] = context.trace.traceId;
        record['spanId'] = context.trace.spanId;
      }
    }
    if (data !== undefined) this.copyData(record, data);
    this.levelOfLine = number;
    to[level](record, this.copier.text(message));
  }

  /** Writes a line that is JSON already, such as one of the access log. */
  writeRaw(level: LineLevel, line: string): void {
    const number = LEVEL_NUMBERS[level];
    if (this.destination.accepts(number)) this.destination.write(line, number);
  }

  /** Fields of a child logger, masked once. */
  maskedBindings(bindings: object): LogRecord {
    const record: LogRecord = {};
    this.copyData(record, bindings);
    return record;
  }

  /** Resolves when every line so far is written, or the time-out for slow readers is over. */
  flush(): Promise<boolean> {
    return this.destination.flush(this.exitFlushTimeoutMs);
  }

  /** Writes what is left and follows the settings no more. May be called twice. */
  async close(): Promise<void> {
    for (const release of this.releases.splice(0)) release();
    await this.flush();
  }

  /** Calls `release` when this log is closed. */
  onClose(release: () => void): void {
    this.releases.push(release);
  }

  flushAtExit(): void {
    this.destination.flushAtExit(this.exitFlushTimeoutMs);
  }

  private get exitFlushTimeoutMs(): number {
    return this.options.exitFlushTimeoutMs ?? DEFAULT_EXIT_FLUSH_TIMEOUT_MS;
  }

  private copyData(record: LogRecord, data: object): void {
    this.copier.copyInto(record, data);
    for (const name of RESERVED) {
      if (name in record) {
        record[`${name}_`] = record[name];
        delete record[name];
      }
    }
  }

  private gateOf(name: string): LevelGate {
    const level = levelOf(this.levelsInForce, name);
    const gate = { level, number: LEVEL_NUMBERS[level] };
    this.gates.set(name, gate);
    return gate;
  }

  private makeCopier(redactKeys: readonly string[]): RecordCopier {
    const maxStringChars = this.options.maxStringChars ?? DEFAULT_MAX_STRING_CHARS;
    return new RecordCopier(new SecretNames(redactKeys), { ...LIMITS, maxStringChars });
  }
}

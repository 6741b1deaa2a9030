import { LogDestination } from './log-destination.js';

const COLOURS: Readonly<Record<string, number>> = {
  trace: 90,
  debug: 36,
  info: 32,
  warn: 33,
  error: 31,
  fatal: 35,
};
const SHOWN_APART = new Set(['level', 'time', 'module', 'msg', 'service', 'pid', 'err', 'stack']);

/** Writes lines for people at a terminal: time, level, module, message, the other fields. */
export class PrettyLogDestination extends LogDestination {
  constructor(
    private readonly inner: LogDestination,
    private readonly colours: boolean,
  ) {
    super();
  }

  write(line: string, level: number): void {
    this.inner.write(this.pretty(line), level);
  }

  accepts(level: number): boolean {
    return this.inner.accepts(level);
  }

  flush(timeoutMs: number): Promise<boolean> {
    return this.inner.flush(timeoutMs);
  }

  flushAtExit(timeoutMs: number): void {
    this.inner.flushAtExit(timeoutMs);
  }

  private pretty(line: string): string {
    const record = JSON.parse(line) as Record<string, unknown>;
    const level = String(record['level']);
    const time = String(record['time']).slice(11, 23);
    const fields = Object.entries(record)
      .filter(([name]) => !SHOWN_APART.has(name))
      .map(([name, value]) => this.paint(90, `${name}=${shown(value)}`));
    const head = [
      this.paint(90, time),
      this.paint(COLOURS[level] ?? 0, level.toUpperCase().padEnd(5)),
      `[${String(record['module'])}]`,
      shownText(record['msg']),
      ...fields,
    ].join(' ');
    return `${head}\n${this.error(record)}`;
  }

  private error(record: Record<string, unknown>): string {
    const err = (record['err'] ?? {}) as { stack?: unknown; cause?: unknown };
    const stack = err.stack ?? record['stack'];
    const cause = err.cause === undefined ? '' : `  cause ${shown(err.cause)}\n`;
    return typeof stack === 'string' ? `${this.paint(31, stack)}\n${cause}` : cause;
  }

  private paint(colour: number, text: string): string {
    return this.colours ? `\u001B[${colour}m${text}\u001B[0m` : text;
  }
}

function shownText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function shown(value: unknown): string {
  return typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
}

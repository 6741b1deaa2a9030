import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What became of one request. */
export interface Outcome {
  /** When it should have been sent, in milliseconds from the start of the run. */
  readonly dueMs: number;
  /** From when it should have been sent to the end of its answer. */
  readonly ms: number;
  /** 0: there was none within the time. */
  readonly status: number;
  /** `code` of a problem. */
  readonly code: string | undefined;
}

export interface OpenLoadOptions {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly perSecond: number;
  readonly durationMs: number;
  /** A client gives up after so long. */
  readonly giveUpMs: number;
  readonly maxConnections: number;
}

const TICK_MS = 1;
const DEADLINE_CHECK_MS = 50;

/**
 * Sends requests at random times of a Poisson process, however the answers come (an open model), each
 * on a keep-alive connection that is free or new. Times count from when a request should have been
 * sent, so that a late generator or a lack of connections hides nothing (no coordinated omission).
 */
export async function openLoad(options: OpenLoadOptions): Promise<Outcome[]> {
  const load = new OpenLoad(options);
  return load.run();
}

class OpenLoad {
  private readonly outcomes: Outcome[] = [];
  private readonly due: number[] = [];
  private readonly idle: Connection[] = [];
  private readonly all = new Set<Connection>();
  private readonly text: string;
  private next = 0;
  private startedMs = 0;

  constructor(private readonly options: OpenLoadOptions) {
    this.text = requestText(options.path, options.headers);
    const meanMs = 1_000 / options.perSecond;
    for (let at = gap(meanMs); at < options.durationMs; at += gap(meanMs)) this.due.push(at);
  }

  async run(): Promise<Outcome[]> {
    await this.openAhead();
    this.startedMs = performance.now();
    await new Promise<void>((resolve) => {
      const ticker = setInterval(() => {
        this.send();
        if (this.outcomes.length === this.due.length) {
          clearInterval(ticker);
          clearInterval(checker);
          resolve();
        }
      }, TICK_MS);
      const checker = setInterval(() => this.giveUp(), DEADLINE_CHECK_MS);
    });
    for (const connection of this.all) connection.close();
    return this.outcomes;
  }

  /**
   * As many connections as may be in use, ahead of the run, as a load balancer holds them: a server
   * that is too busy to accept new ones would by that refuse requests, and look better than it is.
   */
  private async openAhead(): Promise<void> {
    const { perSecond, giveUpMs, maxConnections } = this.options;
    const count = Math.min(maxConnections, Math.ceil((perSecond * giveUpMs) / 1_000));
    for (let opened = 0; opened < count; opened += 1) {
      const connection = this.open();
      if (connection === undefined) return;
      await connection.ready;
      this.idle.push(connection);
    }
  }

  private send(): void {
    const nowMs = performance.now() - this.startedMs;
    for (; this.next < this.due.length; this.next += 1) {
      const dueMs = this.due[this.next] ?? 0;
      if (dueMs > nowMs) return;
      const connection = this.idle.pop() ?? this.open();
      if (connection === undefined) {
        if (nowMs - dueMs < this.options.giveUpMs) return;
        this.end(dueMs, 0, undefined);
      } else connection.send(this.text, dueMs);
    }
  }

  private open(): Connection | undefined {
    if (this.all.size >= this.options.maxConnections) return undefined;
    const connection = new Connection(this.options.port, (dueMs, status, code, isOpen) => {
      if (isOpen) this.idle.push(connection);
      else this.forget(connection);
      if (dueMs !== undefined) this.end(dueMs, status, code);
    });
    this.all.add(connection);
    return connection;
  }

  private forget(connection: Connection): void {
    this.all.delete(connection);
    const at = this.idle.indexOf(connection);
    if (at >= 0) this.idle.splice(at, 1);
  }

  private end(dueMs: number, status: number, code: string | undefined): void {
    const ms = performance.now() - this.startedMs - dueMs;
    this.outcomes.push({ dueMs, ms, status, code });
  }

  private giveUp(): void {
    const nowMs = performance.now() - this.startedMs;
    for (const connection of this.all) {
      if (connection.dueMs !== undefined && nowMs - connection.dueMs > this.options.giveUpMs) {
        connection.close();
      }
    }
  }
}

/** Has so many connections ask again as soon as they are answered. @returns answers of 200 a second */
export async function closedLoad(
  options: Pick<OpenLoadOptions, 'port' | 'path' | 'headers' | 'durationMs'>,
  connections: number,
): Promise<number> {
  const { port, durationMs } = options;
  const text = requestText(options.path, options.headers);
  const startedMs = performance.now();
  let served = 0;
  const open = Array.from({ length: connections }, () => {
    const connection = new Connection(port, (_, status, __, isOpen) => {
      if (performance.now() - startedMs > durationMs) return;
      if (status === 200) served += 1;
      if (isOpen) connection.send(text, 0);
    });
    connection.send(text, 0);
    return connection;
  });
  await sleep(durationMs);
  for (const connection of open) connection.close();
  return (served * 1_000) / durationMs;
}

/** Of the gaps between the events of a Poisson process. */
function gap(meanMs: number): number {
  return -Math.log(1 - Math.random()) * meanMs;
}

function requestText(path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

type Ended = (
  dueMs: number | undefined,
  status: number,
  code: string | undefined,
  isOpen: boolean,
) => void;

/** One keep-alive connection, with at most one request under way. */
class Connection {
  dueMs: number | undefined;
  /** Resolves when it is open, or cannot be. */
  readonly ready: Promise<void>;
  private readonly socket: Socket;
  private received = '';

  constructor(
    port: number,
    private readonly ended: Ended,
  ) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.ready = new Promise((resolve) => {
      this.socket.once('connect', resolve).once('close', () => resolve());
    });
    this.socket.on('data', (data: Buffer) => this.onData(data.toString('latin1')));
    // Whether it was reset or closed: there is no answer.
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => this.finish(0, undefined, false));
  }

  send(text: string, dueMs: number): void {
    this.dueMs = dueMs;
    this.received = '';
    this.socket.write(text);
  }

  close(): void {
    this.socket.destroy();
  }

  private onData(text: string): void {
    this.received += text;
    const end = this.received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(this.received)?.[1];
    if (length === undefined || this.received.length < end + 4 + Number(length)) return;
    const status = Number(this.received.slice(9, 12));
    const code = status >= 400 ? /"code":"([A-Z_]+)"/.exec(this.received)?.[1] : undefined;
    this.finish(status, code, true);
  }

  private finish(status: number, code: string | undefined, isOpen: boolean): void {
    const { dueMs } = this;
    this.dueMs = undefined;
    this.ended(dueMs, status, code, isOpen);
  }
}

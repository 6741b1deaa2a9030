import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What came back of a request. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly token?: string | undefined;
  readonly body?: unknown;
  /** Of the body. Default: application/json. */
  readonly contentType?: string;
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');
/** So long may an answer take before it counts as an error. */
const TIMEOUT_MS = 30_000;

/**
 * A client with one connection that it keeps, as a browser or pool has it: ten thousand of them fit
 * into a process, which of Node's own agent they would not. One request at a time.
 */
export class Connection {
  private socket: Socket | undefined;
  private waiting: Waiting | undefined;
  private received: Buffer = Buffer.alloc(0);
  /** How often it had to connect. */
  connects = 0;

  constructor(
    private readonly port: number,
    /** One of 127.0.0.x: each has ports of its own. */
    private readonly localAddress?: string,
  ) {}

  async open(): Promise<void> {
    this.connects += 1;
    const socket = connect({
      port: this.port,
      host: '127.0.0.1',
      noDelay: true,
      ...(this.localAddress !== undefined && { localAddress: this.localAddress }),
    });
    await once(socket, 'connect');
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => {
      if (this.socket === socket) this.socket = undefined;
      this.fail(new Error('the connection was closed'));
    });
  }

  /** @throws when there is no whole answer within half a minute */
  async send(request: Request): Promise<Answer> {
    if (this.socket === undefined) await this.open();
    const text = requestText(request);
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.waiting = { resolve, reject };
        timer = setTimeout(() => this.abort(new Error('no answer in time')), TIMEOUT_MS);
        this.socket?.write(text);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a request and hangs up after a moment, as somebody does who goes on to another page. */
  async sendAndHangUp(request: Request, afterMs: number): Promise<void> {
    if (this.socket === undefined) await this.open();
    const { socket } = this;
    socket?.write(requestText(request));
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    this.close();
  }

  close(): void {
    const { socket } = this;
    this.socket = undefined;
    this.received = Buffer.alloc(0);
    socket?.destroy();
  }

  private receive(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    const headEnd = this.received.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const head = this.received.toString('latin1', 0, headEnd);
    const status = Number(head.slice(9, 12));
    const bodyStart = headEnd + HEAD_END.length;
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    let bodyEnd = bodyStart + Number(length ?? 0);
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      const last = this.received.indexOf(LAST_CHUNK, bodyStart);
      if (last === -1) return;
      bodyEnd = last + LAST_CHUNK.length;
    }
    if (this.received.length < bodyEnd) return;
    const body = this.received.toString('utf8', bodyStart, bodyEnd);
    this.received = Buffer.alloc(0);
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.resolve({ status, body });
  }

  private abort(error: Error): void {
    this.fail(error);
    this.close();
  }

  private fail(error: Error): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.reject(error);
  }
}

function requestText({ method, path, token, body, contentType }: Request): string {
  const text =
    body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...(text === undefined
      ? []
      : [
          `Content-Type: ${contentType ?? 'application/json'}`,
          `Content-Length: ${Buffer.byteLength(text)}`,
        ]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${text ?? ''}`;
}

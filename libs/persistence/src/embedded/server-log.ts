import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, truncate } from 'node:fs/promises';

/** The file is emptied when it grows beyond this, after everything in it was handed on. */
const MAX_LOG_BYTES = 16 * 1024 * 1024;
const TAIL_LINES = 10;
const POLL_MS = 1_000;

/**
 * The log of the server. The server writes it to a file and not to a pipe, so that it can go on
 * when our process is killed and another takes it over.
 */
export class ServerLog {
  private watcher: FSWatcher | undefined;
  private timer: NodeJS.Timeout | undefined;
  private reading: Promise<void> = Promise.resolve();
  private partialLine = '';
  private position: number;

  private constructor(
    private readonly path: string,
    readonly file: FileHandle,
    size: number,
    private readonly onLine: ((line: string) => void) | undefined,
  ) {
    this.position = size;
  }

  static async open(path: string, onLine?: (line: string) => void): Promise<ServerLog> {
    const file = await open(path, 'a+', 0o600);
    const { size } = await file.stat();
    const log = new ServerLog(path, file, size, onLine);
    log.follow();
    return log;
  }

  /** Where the log ends now, to be passed to `tail`. */
  async size(): Promise<number> {
    return (await this.file.stat()).size;
  }

  /** The last lines written since `from`. */
  async tail(from: number): Promise<string[]> {
    const text = await this.read(from, (await this.size()) - from);
    return text.split('\n').filter(Boolean).slice(-TAIL_LINES);
  }

  async close(): Promise<void> {
    this.watcher?.close();
    clearInterval(this.timer);
    this.catchUp();
    await this.reading;
    await this.file.close();
  }

  private follow(): void {
    try {
      this.watcher = watch(this.path, { persistent: false }, () => this.catchUp());
      this.watcher.on('error', () => this.poll());
    } catch {
      // The system allows only so many watchers, and others may have taken them all.
      this.poll();
    }
  }

  private poll(): void {
    this.watcher?.close();
    this.timer ??= setInterval(() => this.catchUp(), POLL_MS).unref();
  }

  /** One reader at a time, so that lines come whole and in order. */
  private catchUp(): void {
    this.reading = this.reading.then(() => this.readNew()).catch(() => undefined);
  }

  private async readNew(): Promise<void> {
    const size = await this.size();
    if (size < this.position) this.position = 0;
    if (size > this.position && this.onLine !== undefined) {
      const text = this.partialLine + (await this.read(this.position, size - this.position));
      const lines = text.split('\n');
      this.partialLine = lines.pop() ?? '';
      for (const line of lines) this.onLine(line);
    }
    this.position = size;
    if (size > MAX_LOG_BYTES) {
      await truncate(this.path, 0);
      this.position = 0;
    }
  }

  private async read(from: number, length: number): Promise<string> {
    if (length <= 0) return '';
    const { buffer, bytesRead } = await this.file.read(Buffer.alloc(length), 0, length, from);
    return buffer.toString('utf8', 0, bytesRead);
  }
}

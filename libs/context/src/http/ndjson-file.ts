import { Readable } from 'node:stream';
import { callbackify } from 'node:util';
import { StreamableFile } from '@nestjs/common';
import { contextWarnings } from '../events.js';

const CHUNK_CHARACTERS = 32_768;

/**
 * An answer of newline-delimited JSON, one value of the iterable a line, read only as fast as the
 * client takes it. The signal given to `open` aborts when the client goes away, so that a query
 * under way can be cancelled; what `open` throws becomes a problem as usual.
 */
export async function ndjsonFile(
  open: (signal: AbortSignal) => Promise<AsyncIterable<object>> | AsyncIterable<object>,
): Promise<StreamableFile> {
  const stop = new AbortController();
  const rows = await open(stop.signal);
  return new StreamableFile(new NdjsonStream(rows[Symbol.asyncIterator](), stop), {
    type: 'application/x-ndjson',
  });
}

/**
 * `Readable.from` would wait for the row that is being read before it ends its source; this one
 * aborts that read first.
 */
class NdjsonStream extends Readable {
  constructor(
    private readonly rows: AsyncIterator<object>,
    private readonly stop: AbortController,
  ) {
    super();
  }

  override _read(): void {
    void this.fill();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.stop.abort();
    const endRows = callbackify(async () => this.rows.return?.());
    // A source that fails while it ends was given up anyway.
    endRows(() => callback(error));
  }

  private async fill(): Promise<void> {
    try {
      const { text, done } = await this.readChunk();
      if (text !== '') this.push(text);
      if (done) this.push(null);
    } catch (error) {
      if (this.stop.signal.aborted) return;
      // The status is out by now, so the answer can only be cut short, and this says why.
      contextWarnings.publish(() => ({
        code: 'STREAM_BROKEN',
        message: 'A stream of entries broke off.',
        error,
      }));
      this.destroy(error instanceof Error ? error : new Error('STREAM_BROKEN', { cause: error }));
    }
  }

  /** Many short lines make one chunk. */
  private async readChunk(): Promise<{ text: string; done: boolean }> {
    let text = '';
    while (text.length < CHUNK_CHARACTERS) {
      const { done, value } = await this.rows.next();
      if (done === true) return { text, done };
      text += `${JSON.stringify(value)}\n`;
    }
    return { text, done: false };
  }
}

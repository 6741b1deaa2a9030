import { Readable } from 'node:stream';
import { callbackify } from 'node:util';
import { StreamableFile } from '@nestjs/common';
import { contextWarnings } from '../events.js';

const CHUNK_CHARACTERS = 32_768;

/** What stands before, between and after the values of a stream. */
interface StreamForm {
  readonly type: string;
  readonly begin: string;
  readonly between: string;
  readonly end: string;
}

const LINES: StreamForm = { type: 'application/x-ndjson', begin: '', between: '', end: '' };
/** A value a line as well, so that a reader need not wait for the end. */
const ARRAY: StreamForm = { type: 'application/json', begin: '[\n', between: ',', end: ']\n' };

/**
 * An answer of newline-delimited JSON, one value of the iterable a line, read only as fast as the
 * client takes it; a JSON array for a client that accepts that alone. The signal given to `open`
 * aborts when the client goes away, so that a query under way can be cancelled; what `open` throws
 * becomes a problem as usual.
 */
export async function ndjsonFile(
  open: (signal: AbortSignal) => Promise<AsyncIterable<object>> | AsyncIterable<object>,
  accept?: string,
): Promise<StreamableFile> {
  const stop = new AbortController();
  const rows = await open(stop.signal);
  const form = acceptsJsonAlone(accept) ? ARRAY : LINES;
  return new StreamableFile(new NdjsonStream(rows[Symbol.asyncIterator](), stop, form), {
    type: form.type,
  });
}

/** Most clients name JSON beside everything else, and mean nothing by it. */
function acceptsJsonAlone(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const types = accept.toLowerCase().split(',');
  return types.every((type) => /^\s*application\/json\s*(?:;|$)/.test(type));
}

/**
 * `Readable.from` would wait for the row that is being read before it ends its source; this one
 * aborts that read first.
 */
class NdjsonStream extends Readable {
  /** Written before the next value. */
  private before: string;

  constructor(
    private readonly rows: AsyncIterator<object>,
    private readonly stop: AbortController,
    private readonly form: StreamForm,
  ) {
    super();
    this.before = form.begin;
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
      if (done === true) {
        const isEmpty = this.before === this.form.begin;
        return { text: text + (isEmpty ? this.form.begin : '') + this.form.end, done };
      }
      text += `${this.before}${JSON.stringify(value)}\n`;
      this.before = this.form.between;
    }
    return { text, done: false };
  }
}

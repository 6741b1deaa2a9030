import { Writable } from 'node:stream';
import type { CliIo } from '../cli.js';

/** An io that keeps what a command prints. */
export interface RecordingIo extends CliIo {
  readonly out: string;
  readonly err: string;
}

export function recordingIo(overrides: Partial<CliIo> = {}): RecordingIo {
  const out: string[] = [];
  const err: string[] = [];
  return {
    stdout: collector(out),
    stderr: collector(err),
    cwd: process.cwd(),
    env: {},
    signal: new AbortController().signal,
    ...overrides,
    get out() {
      return out.join('');
    },
    get err() {
      return err.join('');
    },
  };
}

function collector(into: string[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      into.push(String(chunk));
      done();
    },
  });
}

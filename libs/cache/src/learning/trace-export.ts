import { createHmac, randomBytes } from 'node:crypto';
import type { RecordedAccess } from './access-recorder.js';

/** Drawn by each process, so that nobody can try keys or users to find them in a trace. */
const secret = randomBytes(32);
const DIGEST_BYTES = 9;

/**
 * The lines of a trace, `{"atMs":…,"key":"…","client":"…","hit":true}`, as `npm run bench:hitratio` and
 * `npm run bench:prefetch` read them. Keys and clients are digests: the same in one process, and
 * no way back.
 */
export function* traceLines(accesses: readonly RecordedAccess[]): Generator<string> {
  const digests = new Map<string, string>();
  const digest = (text: string): string => {
    let known = digests.get(text);
    if (known === undefined) {
      known = createHmac('sha256', secret)
        .update(text)
        .digest()
        .subarray(0, DIGEST_BYTES)
        .toString('base64url');
      digests.set(text, known);
    }
    return known;
  };
  for (const { key, atMs, isHit, client } of accesses) {
    const line = {
      atMs,
      key: digest(key),
      ...(client === undefined ? {} : { client: digest(client) }),
      hit: isHit,
    };
    yield `${JSON.stringify(line)}\n`;
  }
}

import { fileURLToPath } from 'node:url';
import { domainTrace } from './domain.js';
import { readTrace } from './read-trace.js';
import { loopTrace, phasesTrace, scanTrace, shiftTrace, zipfTrace } from './synthetic.js';
import type { Trace } from './trace.js';

/** Recorded traces that come with the project; seen from dist/bench/traces. */
const DATA = new URL('../../../bench/traces/data/', import.meta.url);

/** The built-in traces by name, in the order of the table; each is made when it is needed. */
export const builtInTraces: Readonly<Record<string, () => Trace | Promise<Trace>>> = {
  'zipf 0.7': () => zipfTrace(0.7),
  'zipf 0.9': () => zipfTrace(0.9),
  'zipf 1.1': () => zipfTrace(1.1),
  scan: scanTrace,
  loop: loopTrace,
  shift: shiftTrace,
  phases: phasesTrace,
  web07: () => readTrace(fileURLToPath(new URL('web07.trace.gz', DATA)), 'int32'),
  domain: domainTrace,
  'api-reads': () => readTrace(fileURLToPath(new URL('api-reads.trace.gz', DATA)), 'reads'),
};

/** Those of them that were recorded. */
export const recordedTraces: ReadonlySet<string> = new Set(['web07', 'api-reads']);

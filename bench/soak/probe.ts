/**
 * Loaded into the API before everything else (`--import`) by `npm run soak`, and nowhere else: counts
 * what could leak, and tells it to whom asks on a port of its own. Needs `--expose-gc`, and
 * `--expose-internals` for the list of timers, which Node keeps to itself.
 */
import { EventEmitter, getEventListeners } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a process holds at a moment, after a collection of garbage. */
export interface ProbeSample {
  readonly rssMib: number;
  readonly heapMib: number;
  /** Outside V8's heap: buffers and what belongs to objects of native code. */
  readonly externalMib: number;
  /** On all emitters and targets of events that are alive. */
  readonly listeners: number;
  /** Timers that are alive, whether or not they hold the process. */
  readonly timers: number;
  readonly sockets: number;
  /** Resources of the event loop that hold the process. */
  readonly handles: number;
}

type Method = (this: object, ...args: unknown[]) => unknown;

const seen = new WeakSet<object>();
let emitters: WeakRef<EventEmitter>[] = [];
let targets: WeakRef<EventTarget>[] = [];
const typesOfTargets = new Set<string>();

function watch(
  prototype: object,
  name: string,
  note: (target: object, type: unknown) => void,
): void {
  const methods = prototype as Record<string, Method>;
  const original = methods[name];
  if (original === undefined) return;
  methods[name] = function (this: object, ...args: unknown[]): unknown {
    note(this, args[0]);
    return original.apply(this, args);
  };
}

function noteEmitter(emitter: object): void {
  if (seen.has(emitter)) return;
  seen.add(emitter);
  emitters.push(new WeakRef(emitter as EventEmitter));
}

function noteTarget(target: object, type: unknown): void {
  typesOfTargets.add(String(type));
  if (seen.has(target)) return;
  seen.add(target);
  targets.push(new WeakRef(target as EventTarget));
}

for (const name of ['on', 'addListener', 'prependListener', 'once', 'prependOnceListener']) {
  watch(EventEmitter.prototype, name, noteEmitter);
}
watch(EventTarget.prototype, 'addEventListener', noteTarget);

/** What is alive of what has ever had a listener. */
function countLiving(): { readonly listeners: number; readonly sockets: number } {
  emitters = emitters.filter((reference) => reference.deref() !== undefined);
  targets = targets.filter((reference) => reference.deref() !== undefined);
  let listeners = 0;
  let sockets = 0;
  for (const reference of emitters) {
    const emitter = reference.deref();
    if (emitter instanceof Socket && !emitter.destroyed) sockets += 1;
    for (const name of emitter?.eventNames() ?? []) listeners += emitter?.listenerCount(name) ?? 0;
  }
  for (const reference of targets) {
    const target = reference.deref();
    if (target === undefined) continue;
    for (const type of typesOfTargets) listeners += getEventListeners(target, type).length;
  }
  return { listeners, sockets };
}

/** A timer, or the head of a ring of those with the same duration. */
interface TimerLink {
  readonly _idleNext: TimerLink;
}

const { timerListMap } = createRequire(import.meta.url)('internal/timers') as {
  readonly timerListMap: Readonly<Record<string, TimerLink>>;
};

function countTimers(): number {
  let count = 0;
  for (const list of Object.values(timerListMap)) {
    for (let timer = list._idleNext; timer !== list; timer = timer._idleNext) count += 1;
  }
  return count;
}

async function sample(): Promise<ProbeSample> {
  // What is referred to weakly goes with the turn of the loop, and its finalisers run in the next.
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await sleep(20);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const mebibyte = 1024 * 1024;
  return {
    rssMib: rss / mebibyte,
    heapMib: heapUsed / mebibyte,
    externalMib: external / mebibyte,
    ...countLiving(),
    timers: countTimers(),
    handles: process.getActiveResourcesInfo().length,
  };
}

// The port is closed when the API ends: it holds nothing.
createServer((_, response) => {
  sample().then(
    (taken) => response.end(JSON.stringify(taken)),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
})
  .listen(Number(process.env['PANTHEON_SOAK_PROBE_PORT']), '127.0.0.1')
  .unref();

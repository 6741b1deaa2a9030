import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds until `look` says yes. @throws after `withinMs` */
export async function msUntil(
  look: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<number> {
  const startedMs = performance.now();
  while (!(await look())) {
    if (performance.now() - startedMs > withinMs) throw new Error(`not within ${withinMs} ms`);
    await sleep(1);
  }
  return performance.now() - startedMs;
}

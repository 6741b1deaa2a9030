import { messageOf } from '#libs/core';

/** Figures of one kind: numbers, texts or null by name, one level of groups at most. */
export type Figures = Readonly<
  Record<string, number | string | boolean | null | Readonly<Record<string, number | null>>>
>;

/** Gathers figures of one kind. It may fail, hang or be unavailable without harm to others. */
export interface Collector {
  readonly name: string;
  /** @throws when the figures are not to be had; the message becomes the reason */
  collect(): Figures | Promise<Figures>;
}

/** What was gathered: figures by collector, null for those in `unavailable`, with the reason. */
export interface Collected {
  readonly figures: Readonly<Record<string, Figures | null>>;
  readonly unavailable: Readonly<Record<string, string>>;
}

/** Figures that do not exist here, such as those of /proc on another system than Linux. */
export class FiguresUnavailableError extends Error {}

const TIMED_OUT = 'No answer in time';
const FAILED = 'The figures could not be read';

/** Runs all collectors at the same time. Never rejects, and ends after `timeoutMs` at most. */
export async function collectAll(
  collectors: readonly Collector[],
  timeoutMs: number,
): Promise<Collected> {
  const outcomes = await Promise.all(
    collectors.map(async (collector) => [collector.name, await attempt(collector, timeoutMs)]),
  );
  const figures: Record<string, Figures | null> = {};
  const unavailable: Record<string, string> = {};
  for (const [name, outcome] of outcomes as [string, Figures | FiguresUnavailableError][]) {
    const isMissing = outcome instanceof FiguresUnavailableError;
    figures[name] = isMissing ? null : outcome;
    if (isMissing) unavailable[name] = outcome.message;
  }
  return { figures, unavailable };
}

async function attempt(
  collector: Collector,
  timeoutMs: number,
): Promise<Figures | FiguresUnavailableError> {
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<FiguresUnavailableError>((resolve) => {
    timer = setTimeout(() => resolve(new FiguresUnavailableError(TIMED_OUT)), timeoutMs);
  });
  try {
    return await Promise.race([run(collector), timedOut]);
  } catch (error) {
    // Messages of drivers name hosts and users; only our own are shown.
    const isOurs = error instanceof FiguresUnavailableError;
    return new FiguresUnavailableError(isOurs ? messageOf(error) : FAILED);
  } finally {
    clearTimeout(timer);
  }
}

/** Also turns what is thrown at once into a rejection. */
async function run(collector: Collector): Promise<Figures> {
  return collector.collect();
}

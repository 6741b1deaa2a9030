import type { SingleBar } from 'cli-progress';
import type { CommandIo } from './command-spec.js';

/** Shows how far a command is. Silent unless stderr is a terminal. */
export interface ProgressBar {
  update(done: number, entries: number): void;
  /** Removes the bar. May be called twice. */
  stop(): void;
}

const REFRESH_MS = 100;

/** A bar on stderr with rate and time left; `unit` names what is counted ("files"). */
export async function startProgressBar(
  label: string,
  unit: string,
  total: number,
  io: Pick<CommandIo, 'stderr'>,
): Promise<ProgressBar> {
  if (io.stderr.isTTY !== true) return { update: () => undefined, stop: () => undefined };
  const { SingleBar, Presets } = (await import('cli-progress')).default;
  const bar: SingleBar = new SingleBar(
    {
      stream: io.stderr,
      format: `${label} {bar} {percentage}% | {value}/{total} ${unit} | {entries} entries, {rate}/s | {eta_formatted} left`,
      hideCursor: true,
      clearOnComplete: true,
      fps: 1000 / REFRESH_MS,
      etaBuffer: 200,
    },
    Presets.shades_classic,
  );
  const startedAt = performance.now();
  bar.start(total, 0, { entries: 0, rate: 0 });
  return {
    update(done, entries) {
      const seconds = (performance.now() - startedAt) / 1000;
      bar.update(done, { entries, rate: Math.round(entries / Math.max(seconds, 0.001)) });
    },
    stop: () => bar.stop(),
  };
}

import type { AdviceProgress } from '#libs/index-advisor';
import type { CommandIo } from '../command-spec.js';

/** Shows how far an analysis is. */
export interface AdviceBar {
  update(progress: AdviceProgress): void;
  /** Removes the bar. May be called twice. */
  stop(): void;
}

const LABELS: Readonly<Record<AdviceProgress['step'], string>> = {
  reading: 'Reading catalogs and statistics',
  preparing: 'Preparing the copy',
  screening: 'Trying candidates',
  planning: 'Planning the workload',
  selecting: 'Choosing',
};
const WIDEST = Math.max(...Object.values(LABELS).map((label) => label.length));

/** A bar on stderr; silent unless that is a terminal. */
export async function startAdviceBar(io: Pick<CommandIo, 'stderr'>): Promise<AdviceBar> {
  if (io.stderr.isTTY !== true) return { update: () => undefined, stop: () => undefined };
  const { SingleBar, Presets } = (await import('cli-progress')).default;
  const bar = new SingleBar(
    {
      stream: io.stderr,
      format: '{step} {bar} {percentage}% | {duration_formatted}',
      hideCursor: true,
      clearOnComplete: true,
      fps: 10,
    },
    Presets.shades_classic,
  );
  bar.start(100, 0, { step: ''.padEnd(WIDEST) });
  return {
    update({ step, done }) {
      bar.update(Math.round(done * 100), { step: LABELS[step].padEnd(WIDEST) });
    },
    stop: () => bar.stop(),
  };
}

/** Shows how far a benchmark is, on stderr, if that is a terminal. */
export interface Progress {
  advance(label: string): void;
  stop(): void;
}

/** A bar over `total` steps with the time left. */
export async function startProgress(total: number): Promise<Progress> {
  if (!process.stderr.isTTY) return { advance: () => undefined, stop: () => undefined };
  const { SingleBar, Presets } = (await import('cli-progress')).default;
  const bar = new SingleBar(
    {
      stream: process.stderr,
      format: '{bar} {percentage}% | {value}/{total} | {eta_formatted} left | {label}',
      hideCursor: true,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0, { label: '' });
  return { advance: (label) => bar.increment(1, { label }), stop: () => bar.stop() };
}

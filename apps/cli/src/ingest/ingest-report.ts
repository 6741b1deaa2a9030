import type { Outcome } from '../command-spec.js';
import { ExitCode } from '../exit-code.js';
import type { IngestReport } from './ingest-into.js';

/** Entries and files that the text lists; the JSON has more. */
const MOST_LISTED = 20;

/** What the command says about an ingest. Input that was left out makes it a fault of the user. */
export function outcomeOf(report: IngestReport): Outcome {
  const { bulk, skipped, durationMs, ...rest } = report;
  const leftOut = [
    ...skipped.map(({ path, reason }) => `${path}: ${reason}`),
    ...bulk.rejected.map(({ line, code, detail }) => `entry ${line}: ${detail} (${code})`),
  ];
  const count = skipped.length + bulk.rejectedCount;
  return {
    data: {
      ...rest,
      inserted: bulk.inserted,
      updated: bulk.updated,
      unchanged: bulk.unchanged,
      rejected: bulk.rejected,
      rejectedCount: bulk.rejectedCount,
      skipped,
      durationMs,
    },
    text: [
      `${format(report.units)} ${report.unit}, ${format(report.entries)} entries in the source "${report.source}":`,
      `  ${format(bulk.inserted)} new, ${format(bulk.updated)} updated, ` +
        `${format(bulk.unchanged)} unchanged, ${format(report.pruned)} pruned`,
      `  ${(durationMs / 1000).toFixed(1)} s, ${format(report.entriesPerSecond)} entries/s, search index included`,
      ...(count === 0 ? [] : [`${format(count)} left out:`]),
      ...leftOut.slice(0, MOST_LISTED).map((line) => `  ${line}`),
      ...(count > MOST_LISTED ? ['  …'] : []),
    ].join('\n'),
    exitCode: count === 0 ? ExitCode.ok : ExitCode.userError,
  };
}

function format(count: number): string {
  return count.toLocaleString('en');
}

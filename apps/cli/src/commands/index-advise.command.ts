import { messageOf, newId, SystemClock } from '#libs/core';
import {
  analyseDatabase,
  type ChangeOutcome,
  type DatabaseAnalysis,
  diskFreeBytes,
  IndexChanger,
} from '#libs/index-advisor';
import type { CommandIo, Outcome } from '../command-spec.js';
import { ExitCode } from '../exit-code.js';
import { parseOptions } from '../parse-options.js';
import { type AdviseOptions, adviseOptionsSchema } from './index-options.js';
import { startAdviceBar } from './index-progress.js';
import { renderAnalysis } from './index-report.js';
import { type AdviceTarget, withTarget } from './index-target.js';

/** An index that was built, or why it was not. */
type Applied =
  ChangeOutcome | { readonly state: 'failed'; readonly name: string; readonly reason: string };

/** Advises which indexes to build and which to remove, and with `--apply` builds them. */
export async function indexAdvise(given: unknown, io: CommandIo): Promise<Outcome> {
  const options = parseOptions(adviseOptionsSchema, given);
  return withTarget(options, io, async (target) => {
    const analysis = await analyse(target, options, io);
    const applied = options.apply ? await apply(analysis, target, io) : undefined;
    const failed = applied?.some(({ state }) => state === 'failed') ?? false;
    return {
      data: applied === undefined ? analysis : { ...analysis, applied },
      text: [
        renderAnalysis(analysis),
        ...(applied === undefined ? [] : [appliedText(applied)]),
      ].join('\n\n'),
      exitCode: failed ? ExitCode.unavailable : ExitCode.ok,
    };
  });
}

async function analyse(
  target: AdviceTarget,
  { budget, time, minDays }: AdviseOptions,
  io: CommandIo,
): Promise<DatabaseAnalysis> {
  const budgetBytes = budget ?? target.budgetBytes;
  const timeMs = time === undefined ? target.timeMs : time * 1000;
  const minStatisticsDays = minDays ?? target.minStatisticsDays;
  const bar = await startAdviceBar(io);
  try {
    return await analyseDatabase({
      connection: target.session,
      ...(budgetBytes === undefined ? {} : { budgetBytes }),
      ...(timeMs === undefined ? {} : { timeMs }),
      ...(minStatisticsDays === undefined ? {} : { minStatisticsDays }),
      onProgress(progress) {
        // Ends the analysis, which deletes its copy of the statistics.
        io.signal.throwIfAborted();
        bar.update(progress);
      },
    });
  } finally {
    bar.stop();
  }
}

async function apply(
  { recommended }: DatabaseAnalysis,
  { openSession, audit }: AdviceTarget,
  io: CommandIo,
): Promise<readonly Applied[]> {
  const clock = new SystemClock();
  const changer = new IndexChanger({ openSession, audit, clock, diskFreeBytes });
  const applied: Applied[] = [];
  for (const { index, name, sizeBytes } of recommended) {
    io.signal.throwIfAborted();
    try {
      const change = { id: newId(), index, expectedBytes: sizeBytes };
      applied.push(await changer.build(change, { signal: io.signal }));
    } catch (error) {
      io.signal.throwIfAborted();
      applied.push({ state: 'failed', name, reason: messageOf(error) });
    }
  }
  return applied;
}

function appliedText(applied: readonly Applied[]): string {
  const lines = applied.map((each) =>
    each.state === 'failed'
      ? `  ${each.name}: ${each.reason}`
      : `  ${each.name}: ${each.state === 'built' ? `built in ${(each.durationMs / 1000).toFixed(1)} s` : 'was there already'}`,
  );
  return [applied.length === 0 ? 'There was nothing to build.' : 'Applied:', ...lines].join('\n');
}

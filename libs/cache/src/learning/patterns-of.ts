import type { NamespaceLearning } from './namespace-learning.js';
import type { Prediction } from './key-predictor.js';

/** What is learnt of a namespace, as plain data; without keys for those who may not see them. */
export function patternsOf(
  { cache, recorder, hotKeys, predictor, hours, prefetcher }: NamespaceLearning,
  top: number,
  showsKeys: boolean,
) {
  const shown = (key: string): string | null => (showsKeys ? key : null);
  const prediction = ({ key, confidence, support }: Prediction) => ({
    key: shown(key),
    confidence,
    support,
  });
  const counts = prefetcher?.counts();
  return {
    namespace: cache.namespace,
    recording: {
      kept: recorder.kept,
      recorded: recorder.recorded,
      reads: cache.reads,
    },
    hotKeys: hotKeys.top(top).map(({ key, reads, overcount, gapMs }) => ({
      key: shown(key),
      reads: reads - overcount,
      share: hotKeys.reads === 0 ? 0 : (reads - overcount) / hotKeys.reads,
      meanGapMs: gapMs ?? null,
    })),
    successors: predictor.strongest(top).map(({ key, successors }) => ({
      key: shown(key),
      next: successors.map(prediction),
    })),
    hours: hours.shares(),
    peakHours: hours.peakHours(),
    prefetch:
      counts === undefined
        ? null
        : { ...counts, usefulShare: shareOf(counts.used, counts.used + counts.wasted) },
  };
}

function shareOf(part: number, all: number): number | null {
  return all === 0 ? null : part / all;
}

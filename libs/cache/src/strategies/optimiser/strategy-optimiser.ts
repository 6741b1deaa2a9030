import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { cacheSettings } from '../../cache.settings.js';
import type { CacheStrategy, OptimisationRecord, TriedChange } from '../model/cache-strategy.js';
import {
  CHANGE_TYPES,
  type ChangeType,
  type StrategyConfiguration,
} from '../model/strategy.schemas.js';
import { inPercent } from '../planning/plan-rules.js';
import { StrategyRegistry } from '../registry/strategy-registry.js';
import type { StrategyStore } from '../store/strategy-store.js';
import { WorkloadAnalyser } from '../workload/workload-analyser.js';
import { WorkloadSource } from '../workload/workload-source.js';
import type { Workload } from '../workload/workload.js';
import { ChangeProposer } from './change-proposer.js';
import { ChangeVerifier, MIN_MEASURED_READS } from './change-verifier.js';
import { realDifference } from './estimate.js';
import type { OptimisationResult } from './optimisation-result.js';
import { recommendationsFor, rereadShareOf } from './recommendations.js';
import { type Measurement, WindowMeasurer } from './window-measurer.js';

export interface OptimiseOptions {
  readonly skipTypes?: readonly ChangeType[];
  /** Who asked for it: the id of a user, or what else did. */
  readonly by: string;
  readonly signal?: AbortSignal | undefined;
}

/** What was recorded within this time is replayed. */
const RECORDED_WINDOW_MS = 3_600_000;
const MIN_RECORDED_READS = 100;
const HISTORY = 20;

/**
 * Optimises a strategy in use: measures it, looks for one change after another, applies each,
 * verifies it, and takes back what made things worse or was no better than chance.
 */
@Injectable()
export class StrategyOptimiser {
  constructor(
    private readonly registry: StrategyRegistry,
    private readonly source: WorkloadSource,
    private readonly analyser: WorkloadAnalyser,
    private readonly proposer: ChangeProposer,
    private readonly verifier: ChangeVerifier,
    private readonly measurer: WindowMeasurer,
    private readonly settings: SettingsStore,
    private readonly clock: Clock,
  ) {}

  /** Throws `CACHE_STRATEGY_STATUS` while somebody else is at it. */
  async optimise(strategy: string, options: OptimiseOptions): Promise<OptimisationResult> {
    const store = this.registry.get(strategy);
    const { id } = store.current;
    await this.registry.beginOptimising(id);
    const { strategyLeaseMs } = this.settings.get(cacheSettings);
    const heartbeat = setInterval(() => {
      // If it fails the lease runs out, and the next change of this strategy fails by its version.
      this.registry.extendOptimising(id).catch(() => undefined);
    }, strategyLeaseMs / 3).unref();
    const first = store.current.configuration;
    try {
      return await this.run(store, options);
    } catch (error) {
      await this.restore(store, first);
      throw error;
    } finally {
      clearInterval(heartbeat);
      await this.registry.endOptimising(id);
    }
  }

  private async run(store: StrategyStore, options: OptimiseOptions): Promise<OptimisationResult> {
    const { signal, skipTypes = [], by } = options;
    const first = store.current.configuration;
    const names = store.openNamespaces().map(({ namespace }) => namespace);
    const before = await this.measure(store, signal);
    const workload = this.source.recorded(names, RECORDED_WINDOW_MS);
    const isRecorded = workload.reads.length >= MIN_RECORDED_READS;
    const tried: TriedChange[] = [];
    let last = before;
    if (isRecorded) {
      const samples = await this.source.samples(names, workload);
      const most = this.proposer.mostBytesOf(store.current);
      const analysis = await this.analyser.analyse(workload, most, samples, signal);
      for (const type of CHANGE_TYPES) {
        if (skipTypes.includes(type)) continue;
        signal?.throwIfAborted();
        const situation = { strategy: store.current, workload, analysis, signal };
        const proposal = await this.proposer.propose(type, situation);
        if (proposal === undefined) continue;
        const old = store.current.configuration;
        const configuration: StrategyConfiguration = { ...old, ...proposal.change };
        await this.change(store, { configuration });
        const measured = await this.measure(store, signal);
        const verdict = await this.verifier.verify({
          type,
          before: old,
          after: configuration,
          workload,
          measuredBefore: last,
          measuredAfter: measured,
          signal,
        });
        if (verdict.isKept) last = measured;
        else await this.change(store, { configuration: old });
        tried.push({
          type,
          from: changed(old, proposal.change),
          to: changed(configuration, proposal.change),
          reason: proposal.reason,
          outcome: verdict.isKept ? 'kept' : 'rolled-back',
          verification: verdict.text,
        });
      }
    }
    const result = await this.resultOf({ store, first, workload, isRecorded, before, last, tried });
    await this.remember(store, by, tried, before, result);
    return result;
  }

  private async resultOf(seen: {
    readonly store: StrategyStore;
    readonly first: StrategyConfiguration;
    readonly workload: Workload;
    readonly isRecorded: boolean;
    readonly before: Measurement;
    readonly last: Measurement;
    readonly tried: readonly TriedChange[];
  }): Promise<OptimisationResult> {
    const { store, first, workload, isRecorded, before, last, tried } = seen;
    const applied = tried.filter(({ outcome }) => outcome === 'kept');
    const isMeasured = Math.min(before.reads, last.reads) >= MIN_MEASURED_READS;
    const evidence = isMeasured ? 'measured' : isRecorded ? 'replayed' : 'none';
    let improvement = 0;
    let latencyReduction = 0;
    let newHitRate = last.hitRatio.mean;
    if (evidence === 'measured' && applied.length > 0) {
      const misses = 1 - before.hitRatio.mean;
      improvement = misses === 0 ? 0 : realDifference(before.hitRatio, last.hitRatio) / misses;
      const slower = realDifference(before.latencyMs, last.latencyMs);
      latencyReduction = before.latencyMs.mean === 0 ? 0 : -slower / before.latencyMs.mean;
    } else if (evidence === 'replayed') {
      const old = await this.verifier.replay(first, { workload });
      const now = await this.verifier.replay(store.current.configuration, { workload });
      newHitRate = now.hitRatio;
      // Both saw the same reads, so nothing but the changes makes a difference.
      improvement = old.hitRatio === 1 ? 0 : (now.hitRatio - old.hitRatio) / (1 - old.hitRatio);
      latencyReduction = improvement;
    }
    return {
      optimizationsApplied: applied,
      rolledBack: tried.filter(({ outcome }) => outcome === 'rolled-back'),
      improvement,
      newHitRate,
      latencyReduction,
      memoryEfficiency: rereadShareOf(workload, store.statistics()),
      recommendations: recommendationsFor({
        strategy: store.current,
        statistics: store.statistics(),
        workload,
        isRecorded,
        mostBytes: this.proposer.mostBytesOf(store.current),
      }),
      evidence,
      before: plain(before),
      after: plain(last),
      recordedReads: workload.reads.length,
    };
  }

  private async remember(
    store: StrategyStore,
    by: string,
    changes: readonly TriedChange[],
    before: Measurement,
    result: OptimisationResult,
  ): Promise<void> {
    const { provenance } = store.current;
    const record: OptimisationRecord = {
      at: this.clock.now().toISOString(),
      by,
      hitRatioBefore: before.hitRatio.mean,
      hitRatioAfter: result.newHitRate,
      changes,
    };
    const optimisations = [record, ...provenance.optimisations].slice(0, HISTORY);
    await this.change(store, {
      provenance: { ...provenance, optimisations },
      lastOptimized: this.clock.now(),
    });
  }

  private measure(store: StrategyStore, signal: AbortSignal | undefined): Promise<Measurement> {
    const { strategyOptimizeWindowMs } = this.settings.get(cacheSettings);
    return this.measurer.measure(store, strategyOptimizeWindowMs, signal);
  }

  private async change(
    store: StrategyStore,
    change: Parameters<StrategyRegistry['update']>[2],
  ): Promise<void> {
    const { id, version } = store.current;
    await this.registry.update(id, version, change);
  }

  /** Takes back what was tried when the optimisation itself fails; if that fails too, the lease does. */
  private async restore(store: StrategyStore, first: StrategyConfiguration): Promise<void> {
    if (store.current.configuration === first) return;
    await this.change(store, { configuration: first }).catch(() => undefined);
  }
}

/** The part of a configuration that a change is about. */
function changed(
  configuration: CacheStrategy['configuration'],
  change: Partial<StrategyConfiguration>,
): unknown {
  const names = Object.keys(change) as (keyof StrategyConfiguration)[];
  const parts = names.map((name) => [name, configuration[name]]);
  return Object.fromEntries(parts);
}

/** JSON has no word for infinity, which is the error of a single value. */
function plain({ reads, hitRatio, latencyMs }: Measurement): OptimisationResult['before'] {
  const finite = ({ mean, error }: Measurement['hitRatio']) => ({
    mean,
    error: Number.isFinite(error) ? error : null,
  });
  return { reads, hitRatio: finite(hitRatio), latencyMs: finite(latencyMs) };
}

/** For the log: what an optimisation came to. */
export function summaryOf({ optimizationsApplied, improvement }: OptimisationResult): string {
  const kept = optimizationsApplied.map(({ type }) => type).join(', ') || 'nothing';
  return `changed ${kept}, ${inPercent(improvement)} of the misses avoided`;
}

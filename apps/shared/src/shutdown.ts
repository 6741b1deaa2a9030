import { constants } from 'node:os';
import {
  endedInOrder,
  runPhases,
  type ShutdownFigures,
  type ShutdownPhase,
  type ShutdownReport,
  toLogFields,
  toSentence,
} from '#libs/resilience';
import type { Platform } from './platform.js';

/** A terminal sends a signal to the whole process group and npm forwards it as well. */
const SAME_SIGNAL_WITHIN_MS = 1_000;

/** Makes the phases of the end, when it has come. They put their figures into the map. */
export type PlanShutdown = (figures: Map<string, ShutdownFigures>) => readonly ShutdownPhase[];

/**
 * Runs the phases of the end once at the first SIGINT, SIGTERM or SIGHUP, tells how it went in one
 * line of the log and one for people, and ends the process: with 0 when every phase ended in order
 * and time, else with 1. When a person asks again it ends without waiting.
 */
export function shutDownOnSignals(platform: Platform, plan: PlanShutdown): void {
  const log = platform.log.module('process');
  let startedAtMs: number | undefined;

  const shutDown = async (cause: string): Promise<void> => {
    const startMs = performance.now();
    const figures = new Map<string, ShutdownFigures>();
    const phases = await runPhases(plan(figures));
    const totalMs = Math.round(performance.now() - startMs);
    const report: ShutdownReport = { cause, totalMs, phases, figures };
    const isInOrder = endedInOrder(report);
    log[isInOrder ? 'info' : 'error']('The process ends', toLogFields(report));
    process.stdout.write(`${toSentence(report)}\n`);
    await platform.log.flush();
    process.exit(isInOrder ? 0 : 1);
  };

  const onSignal = (signal: NodeJS.Signals): void => {
    if (startedAtMs !== undefined) {
      if (performance.now() - startedAtMs < SAME_SIGNAL_WITHIN_MS) return;
      log.error(`${signal} again: ending without waiting any longer.`);
      process.exit(128 + constants.signals[signal]);
    }
    startedAtMs = performance.now();
    shutDown(signal).catch((err: unknown) => {
      log.error('The shutdown failed.', { err });
      process.exit(1);
    });
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // The terminal was closed.
  process.on('SIGHUP', onSignal);
}

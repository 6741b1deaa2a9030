import { printTable } from '../support/print-table.js';
import { type RunResult, WORTH_MS } from './run.js';

/** What was measured of one handler. */
export interface TargetReport {
  readonly target: string;
  /** Median of the answers a second of a busy server, measured between the runs. */
  readonly capacityPerSecond: number;
  /** At a tenth of the capacity. */
  readonly unloaded: RunResult;
  readonly runs: readonly {
    readonly factor: number;
    /** Just before the run: the machine is shared, and its speed changes. */
    readonly capacityPerSecond: number;
    readonly withLayer: RunResult;
    readonly without: RunResult;
  }[];
}

export interface Verdict {
  readonly text: string;
  readonly isMet: boolean;
}

/** From this multiple of the capacity on there is overload. */
const OVERLOAD_FACTOR = 2;
const LEAST_GOODPUT = 0.9;
const MOST_LATENCY = 2;
const BAR = 50;

/** The verdicts over one handler. */
export function verdictsOf({ target, unloaded, runs }: TargetReport): Verdict[] {
  return runs
    .filter(({ factor }) => factor >= OVERLOAD_FACTOR)
    .flatMap(({ factor, capacityPerSecond, withLayer }) => {
      const goodput = withLayer.goodPerSecond / capacityPerSecond;
      const latency = withLayer.p95Ms / unloaded.p95Ms;
      const refused = withLayer.probes.reduce((sum, { failed }) => sum + failed, 0);
      const asked = withLayer.probes.reduce((sum, probe) => sum + probe.asked, 0);
      const at = `${target} at ${factor} × capacity`;
      return [
        {
          text: `${at}: goodput is ${percent(goodput)} of peak (≥ ${percent(LEAST_GOODPUT)})`,
          isMet: goodput >= LEAST_GOODPUT,
        },
        {
          text: `${at}: p95 of the admitted is ${withLayer.p95Ms.toFixed(1)} ms, ${latency.toFixed(2)} × that without load (≤ ${MOST_LATENCY})`,
          isMet: latency <= MOST_LATENCY,
        },
        {
          text: `${at}: ${refused} of ${asked} requests of health and authentication failed (0)`,
          isMet: refused === 0,
        },
      ];
    });
}

/** Prints the tables and the plots of one handler. */
export function printReport(report: TargetReport): void {
  const { target, capacityPerSecond, unloaded, runs } = report;
  const size = `${capacityPerSecond.toFixed(0)} answers/s`;
  console.log(`${target}: ${size} at peak, p95 ${unloaded.p95Ms.toFixed(1)} ms without load\n`);
  const rows = runs.flatMap(({ factor, capacityPerSecond: peak, withLayer, without }) =>
    [['on', withLayer] as const, ['off', without] as const].map(([layer, run]) => ({
      load: `${factor} ×`,
      admission: layer,
      offeredPerSecond: Math.round(run.offeredPerSecond),
      goodPerSecond: Math.round(run.goodPerSecond),
      goodPercent: Math.round((run.goodPerSecond / peak) * 100),
      p50Ms: run.p50Ms,
      p95Ms: run.p95Ms,
      limit: run.limit,
      healthP95Ms: run.probes[0]?.p95Ms ?? Number.NaN,
      authP95Ms: run.probes[1]?.p95Ms ?? Number.NaN,
      probesFailed: run.probes.reduce((sum, { failed }) => sum + failed, 0),
      refused: causesOf(run),
    })),
  );
  printTable(rows);
  console.log(`Answers of 200 within ${WORTH_MS} ms, of what the server can do:`);
  for (const { load, admission, goodPercent } of rows) {
    const length = Math.max(0, Math.min(BAR, Math.round((goodPercent / 100) * BAR)));
    const bar = '█'.repeat(length).padEnd(BAR, '·');
    console.log(`  ${load.padEnd(6)} ${admission.padEnd(3)} ${bar} ${goodPercent} %`);
  }
  console.log();
}

function causesOf({ refused }: RunResult): string {
  const causes = Object.entries(refused).map(
    ([code, count]) => `${code.replace('ADMISSION_', '').toLowerCase()} ${count}`,
  );
  return causes.length === 0 ? '-' : causes.join(', ');
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

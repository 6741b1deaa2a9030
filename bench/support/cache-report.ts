import { printTable } from './print-table.js';

export const MANY = 50;
export const MEMORY_ITEMS = 100_000;
const BASELINE = 'async lru-cache get';
const OWN = 'pantheon';

/** One cache beside the first of its table. */
export interface Row {
  readonly cache: string;
  readonly ns: number;
  readonly 'beside the first': number;
}

/** The same of memory. */
export interface MemoryRow {
  readonly cache: string;
  readonly 'bytes an entry': number;
  readonly 'beside the first': number;
}

interface Verdict {
  readonly statement: string;
  readonly value: number;
  readonly limit: number;
  readonly isMet: boolean;
}

/** What was measured. */
export interface Result {
  readonly hit?: Row[];
  readonly many?: Row[];
  readonly miss?: Row[];
  readonly redis?: { hit: Row[]; many: Row[] };
  readonly memory?: MemoryRow[];
}

/** What the result says of the statements that the benchmark was made to check. */
export function verdictsOn({ hit: hits, memory }: Result): Verdict[] {
  const verdicts: Verdict[] = [];
  const check = (statement: string, value: number, limit: number): void => {
    verdicts.push({ statement, value, limit, isMet: value <= limit });
  };
  /** Beside the quickest of the others that are caches of values by key. */
  const besideRivals = (rows: readonly Row[]): number => {
    const rivals = rows.slice(1).filter(({ cache }) => !cache.startsWith(OWN));
    return nsOf(rows, OWN) / Math.min(...rivals.map(({ ns }) => ns));
  };
  if (hits !== undefined) {
    const baseline = nsOf(hits, BASELINE);
    check(`a hit beside ${BASELINE}`, nsOf(hits, OWN) / baseline, 1.4);
    check(`a hit with two tags beside ${BASELINE}`, nsOf(hits, `${OWN}, two tags`) / baseline, 3);
    check('a hit beside the quickest other cache', besideRivals(hits), 1);
  }
  if (memory !== undefined) {
    const own = memory.find(({ cache }) => cache === OWN)?.['beside the first'] ?? Number.NaN;
    check('memory of an entry beside lru-cache', own, 1.5);
  }
  return verdicts;
}

function nsOf(rows: readonly Row[], cache: string): number {
  return rows.find((row) => row.cache === cache)?.ns ?? Number.NaN;
}

/** Tables for people. */
export function printResult({
  hit: hits,
  many: manyRows,
  miss: misses,
  redis,
  memory,
}: Result): void {
  const section = (title: string, rows: readonly object[] | undefined): void => {
    if (rows === undefined) return;
    console.log(`\n${title}\n`);
    printTable(rows as Record<string, string | number>[]);
  };
  section(`A hit in memory, CPU time; the baseline is "${BASELINE}"`, hits);
  section(`${MANY} keys at once, all in memory, CPU time`, manyRows);
  section('A miss, with a loader that returns at once, CPU time', misses);
  section('A hit in Redis, one after the other', redis?.hit);
  section(`${MANY} keys at once, all in Redis`, redis?.many);
  section(
    `Memory of an entry without its key and value, of ${MEMORY_ITEMS} that fit (bench:l1 has caches that evict)`,
    memory,
  );
}

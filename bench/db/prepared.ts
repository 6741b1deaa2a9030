import { SettingsStore } from '#libs/config';
import { createDataSource, persistenceSettings } from '#libs/persistence';
import type { DataSource } from 'typeorm';
import type { BenchDatabase } from '../support/bench-database.js';
import { startProgressBar } from '../support/progress-bar.js';
import { inTurns, timed } from './variants.js';

const TABLES = 6;
const ROWS = 2_000;
const LOOKUPS = 200;

/** A look-up over six tables by their keys: PostgreSQL takes longer to plan it than to do it. */
export async function measurePrepared(
  database: BenchDatabase,
  rounds: number,
): Promise<Record<string, string | number>[]> {
  const names = Array.from({ length: TABLES }, (_, at) => `bench_part_${at}`);
  for (const name of names) {
    await database.dataSource.query(
      `CREATE TABLE ${name} (id int PRIMARY KEY, next_id int NOT NULL, label text NOT NULL);
       INSERT INTO ${name} SELECT n, (n * 7) % ${ROWS} + 1, 'label ' || n FROM generate_series(1, ${ROWS}) n;
       ANALYZE ${name}`,
    );
  }
  const joins = names
    .slice(1)
    .map((name, at) => `JOIN ${name} t${at + 1} ON t${at + 1}.id = t${at}.next_id`);
  const text = `SELECT ${names.map((_, at) => `t${at}.label AS label_${at}`).join(', ')} FROM ${names[0]} t0 ${joins.join(' ')} WHERE t0.id = $1`;
  const bare = await open(database, false);
  const prepared = await open(database, true);
  const lookUp = (dataSource: DataSource) => async (): Promise<number> => {
    const ms = await timed(async () => {
      for (let id = 1; id <= LOOKUPS; id += 1) await dataSource.query(text, [id]);
    });
    return ms / LOOKUPS;
  };
  try {
    await lookUp(bare)();
    await lookUp(prepared)();
    const bar = await startProgressBar('prepared statements', rounds * 2);
    let turns = 0;
    const ms = await inTurns({ bare: lookUp(bare), prepared: lookUp(prepared) }, rounds, () =>
      bar.update((turns += 1)),
    );
    bar.stop();
    return [
      { 'look-up over six tables': 'planned each time', ms: ms.bare, faster: 1 },
      { 'look-up over six tables': 'prepared', ms: ms.prepared, faster: ms.bare / ms.prepared },
    ];
  } finally {
    await Promise.all([bare.destroy(), prepared.destroy()]);
  }
}

async function open({ url }: BenchDatabase, preparedStatements: boolean): Promise<DataSource> {
  const settings = { database: { preparedStatements } };
  const store = new SettingsStore([persistenceSettings], { overrides: settings });
  const parts = { entities: [], migrations: [] };
  const dataSource = createDataSource(url, store.get(persistenceSettings), parts);
  return dataSource.initialize();
}

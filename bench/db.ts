/**
 * `npm run bench:db`: what the database layer is worth, each against the same work without it, in
 * turns within one run. Prepared statements; a bulk insert beside COPY and beside TypeORM; the read
 * mix of the domain; the memory of a stream of a million rows; what it costs to watch every
 * statement. `--rows=100000`, `--rounds=5`, `--parts=bulk,mix`, `--json`, `--help`.
 */
import { parseArgs } from 'node:util';
import { measureBulk } from './db/bulk.js';
import { measurePrepared } from './db/prepared.js';
import { measureReadMix } from './db/read-mix.js';
import { measureStream } from './db/stream.js';
import { measureWatching } from './db/watching.js';
import { openBenchContext } from './support/bench-context.js';
import { printTable } from './support/print-table.js';
import { wholeNumber } from './support/whole-number.js';

const PARTS = ['prepared', 'bulk', 'mix', 'stream', 'watching'] as const;
const HELP = `Measures the database layer, each part against the same work without it.

  npm run bench:db -- --rounds=3 --parts=bulk,mix

  --rows=100000    rows of the bulk insert; the stream has ten times as many
  --rounds=5       turns of each variant; the medians are told
  --parts=…        some of ${PARTS.join(', ')} (default: all)
  --json           one JSON document
`;

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    parts: { type: 'string', default: PARTS.join(',') },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else {
  await main();
}

async function main(): Promise<void> {
  const rows = wholeNumber('rows', values.rows);
  const rounds = wholeNumber('rounds', values.rounds);
  const parts = new Set(values.parts.split(','));
  const bench = await openBenchContext();
  try {
    const report = {
      node: process.version,
      server: bench.database.server,
      prepared: parts.has('prepared') ? await measurePrepared(bench.database, rounds) : [],
      bulk: parts.has('bulk') ? await measureBulk(bench.database, rows, rounds) : [],
      readMix: parts.has('mix') ? await measureReadMix(bench, rounds) : [],
      stream: parts.has('stream') ? await measureStream(bench.database, rows * 10) : [],
      watching: parts.has('watching') ? await measureWatching(bench.database, rounds) : [],
    };
    if (values.json) {
      process.stdout.write(`${JSON.stringify(report)}\n`);
      return;
    }
    console.log(`Node ${report.node}, ${report.server} PostgreSQL. Medians of ${rounds} rounds.\n`);
    for (const table of [
      report.prepared,
      report.bulk,
      report.readMix,
      report.stream,
      report.watching,
    ]) {
      if (table.length > 0) printTable<Record<string, string | number>>(table);
    }
  } finally {
    await bench.close();
  }
}

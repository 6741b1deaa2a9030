/**
 * `npm run bench:index`: whether the index advisor finds what is missing, superfluous and unused, and
 * what its advice is worth. Two databases are made: a shop after TPC-H, and the tables of the
 * domain, each with a missing, a duplicate and an unused index planted. Prints what was found, cost
 * and measured time before and after the advised indexes are built, their sizes beside the estimates,
 * and the gap that the choice may have. `--scale=1`, `--rounds=5`, `--parts=shop,domain`, `--json`,
 * `--help`.
 */
import { parseArgs } from 'node:util';
import { measureDomain } from './index-advisor/domain.js';
import type { AdvisorReport } from './index-advisor/measure-advice.js';
import { measureShop } from './index-advisor/shop.js';
import { printTable } from './support/print-table.js';
import { wholeNumber } from './support/whole-number.js';

const PARTS = ['shop', 'domain'] as const;
const HELP = `Measures what the advice of the index advisor is worth.

  npm run bench:index -- --parts=shop

  --scale=1        rows: 60,000 lines of orders, or 30,000 entries, times this
  --rounds=5       runs of each statement before and after; the medians are told
  --parts=…        some of ${PARTS.join(', ')} (default: all)
  --json           one JSON document

Ends with 1 when something planted was not found, or something wrong was advised.
`;

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    parts: { type: 'string', default: PARTS.join(',') },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else await main();

async function main(): Promise<void> {
  const options = {
    scale: wholeNumber('scale', values.scale),
    rounds: wholeNumber('rounds', values.rounds),
  };
  const parts = new Set(values.parts.split(','));
  const reports: AdvisorReport[] = [];
  if (parts.has('shop')) reports.push(await measureShop(options));
  if (parts.has('domain')) reports.push(await measureDomain(options));
  if (values.json) {
    process.stdout.write(
      `${JSON.stringify({ benchmark: 'index', node: process.version, reports })}\n`,
    );
  } else for (const report of reports) print(report);
  const isRight = reports.every(({ notFound, wrong }) => notFound.length + wrong.length === 0);
  process.exitCode = isRight ? 0 : 1;
}

function print(report: AdvisorReport): void {
  console.log(
    `\n${report.name}: ${report.rows} rows in the largest table, ${report.server} PostgreSQL.`,
  );
  console.log(
    `Advice in ${(report.adviceMs / 1000).toFixed(1)} s: ${report.statements} statements, ` +
      `${report.indexes.length} indexes to build, gap ${(report.gap * 100).toFixed(2)} %.`,
  );
  console.log(`Found: ${report.found.join(', ') || 'nothing'}.`);
  console.log(`Not found: ${report.notFound.join(', ') || 'nothing'}.`);
  console.log(`Wrong: ${report.wrong.join(', ') || 'nothing'}.\n`);
  if (report.indexes.length > 0) printTable(report.indexes);
  if (report.queries.length > 0) printTable(report.queries);
  const saved = (1 - report.measuredMsAfter / report.measuredMsBefore) * 100;
  const estimated = (1 - report.costAfter / report.costBefore) * 100;
  console.log(
    `Cost ${report.costBefore.toFixed(0)} → ${report.costAfter.toFixed(0)} (−${estimated.toFixed(0)} %), ` +
      `measured ${report.measuredMsBefore.toFixed(1)} → ${report.measuredMsAfter.toFixed(1)} ms ` +
      `(−${saved.toFixed(0)} %), all calls.`,
  );
}

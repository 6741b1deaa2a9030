import type { DatabaseAnalysis, Finding, RecommendedIndex } from '#libs/index-advisor';
import { renderTable } from '../render-table.js';

/** Statements that are listed for an index; the JSON has all. */
const MOST_STATEMENTS = 5;
const WIDEST_QUERY = 90;

/** An analysis for people. */
export function renderAnalysis(analysis: DatabaseAnalysis): string {
  const { server, workload, recommended, toRemove, estimated, notes } = analysis;
  const days = workload.days === null ? '' : ` of ${count(workload.days, 'day')}`;
  const sections = [
    `Database ${server.database}, PostgreSQL ${server.version}: ` +
      `${count(workload.statements, 'statement')}${days}. ${ageText(analysis)}`,
    recommended.length === 0
      ? 'No index would pay for itself.'
      : `Build ${count(recommended.length, 'index', 'indexes')}, ${size(estimated.sizeBytes)}; ` +
        `no other choice is better by more than ${percent(estimated.gap)}:`,
    ...recommended.map((index, position) => renderIndex(index, position + 1)),
    ...(recommended.length === 0
      ? []
      : [
          `Cost of the workload: ${cost(estimated.costBefore)} → ${cost(estimated.costAfter)} ` +
            `(${percent(-estimated.improvement)}), for which writes pay ${cost(estimated.writeCost)}.`,
        ]),
    toRemove.length === 0
      ? 'No index is superfluous.'
      : `Remove ${count(toRemove.length, 'index', 'indexes')}, ${size(estimated.freedBytes)}:`,
    ...toRemove.map((finding) => renderFinding(finding)),
    ...(notes.length === 0 ? [] : [['Notes:', ...notes.map((note) => `  - ${note}`)].join('\n')]),
  ];
  return sections.join('\n\n');
}

/** Findings, each with its reason and what to do. */
export function renderFinding({ code, object, why, remedy, confidence }: Finding): string {
  const doubt = confidence === 'check' ? ', check first' : '';
  return [
    `  ${object} (${code}${doubt})`,
    `    ${why}`,
    ...remedy.map((sql) => `    ${sql};`),
  ].join('\n');
}

function renderIndex(index: RecommendedIndex, position: number): string {
  const { ddl, sizeBytes, reason, serves, supersedes } = index;
  const rows = serves
    .slice(0, MOST_STATEMENTS)
    .map((served) => [
      `${cost(served.costBefore)} → ${cost(served.costAfter)}`,
      served.savedMsPerDay === null ? '' : `${(served.savedMsPerDay / 1000).toFixed(1)} s`,
      served.calls.toFixed(0),
      shortened(served.query),
    ]);
  const table = renderTable(['cost', 'saves a day', 'calls', 'statement'], rows);
  const more = serves.length - rows.length;
  return [
    `${String(position).padStart(3)}. ${ddl};`,
    `     ${size(sizeBytes)}; ${reason}`,
    ...(supersedes.length === 0 ? [] : [`     makes superfluous: ${supersedes.join(', ')}`]),
    ...table.split('\n').map((line) => `     ${line}`),
    ...(more > 0 ? [`     and ${count(more, 'statement')} more`] : []),
  ].join('\n');
}

function ageText({ statistics }: DatabaseAnalysis): string {
  if (statistics.days === null) return 'Since when use is counted is not known.';
  return `Use is counted for ${count(statistics.days, 'day')}.`;
}

function shortened(query: string): string {
  const line = query.replaceAll(/\s+/g, ' ').trim();
  return line.length > WIDEST_QUERY ? `${line.slice(0, WIDEST_QUERY - 1)}…` : line;
}

function cost(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

function count(value: number, unit: string, units = `${unit}s`): string {
  const text = value.toLocaleString('en-US', { maximumFractionDigits: 1 });
  return `${text} ${text === '1' ? unit : units}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
}

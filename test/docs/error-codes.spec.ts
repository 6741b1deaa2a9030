import { describe, expect, it } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { allSettings } from '../../apps/shared/src/all-settings.js';
import { makeProblem, STATUS_BY_KIND } from '../../apps/api/src/http/problem-details.js';
import { readPrograms } from './program-sources.js';

const CODE = /'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g;
/** What looks like a code and is none, beside the variables of settings. */
const OTHERS = new Set([
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'PG_VERSION',
  'NODE_ENV',
  'CACHE_MANAGER',
]);
/** Words of PostgreSQL's syntax trees. */
const OF_GRAMMAR = /^(?:AEXPR|SETOP|SORTBY|CMD|ONCONFLICT)_|_(?:SUBLINK|EXPR)$|^IS_NULL$/;
/** Codes of the command line, of starts and of the library, which nobody gets over HTTP. */
const ELSEWHERE = [
  'docs/caching.md',
  'docs/operations.md',
  'docs/resilience.md',
  'docs/context.md',
  'docs/database/index-advisor.md',
  ...(await readdir('docs/caching')).map((name) => `docs/caching/${name}`),
];

const variables = new Set(
  allSettings.flatMap(({ settings }) => [...settings.values()].map(({ env }) => env)),
);
const { sources } = await readPrograms();
const inSource = new Set(
  sources
    .flatMap(({ content }) => [...content.matchAll(CODE)].map(([, code = '']) => code))
    .filter((code) => !variables.has(code) && !OTHERS.has(code) && !OF_GRAMMAR.test(code)),
);
const api = await readFile('docs/api.md', 'utf8');
const elsewhere = await Promise.all(ELSEWHERE.map((path) => readFile(path, 'utf8')));
const all = [api, ...elsewhere].join('\n');
const table = [...api.matchAll(/^\| `([A-Z_]+)` +\| (\d{3}) +\| .+ \|$/gm)].map(
  ([, code = '', status = '']) => ({ code, status: Number(status) }),
);

describe('the codes of errors', () => {
  it('stand in the documents, each of them', () => {
    expect([...inSource].filter((code) => !all.includes(`\`${code}\``))).toEqual([]);
  });

  it('exist in the source when a document names them', async () => {
    const balancer = await readFile('deploy/haproxy/haproxy.cfg', 'utf8');
    const documented = all.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g);
    const unknown = [...documented]
      .map(([, code = '']) => code)
      .filter((code) => !inSource.has(code) && !variables.has(code))
      .filter((code) => !balancer.includes(`"code":"${code}"`));
    expect(unknown.filter((name) => !OTHERS.has(name) && !OTHER_NAMES.test(name))).toEqual([]);
  });

  it('stand in the table once, by status', () => {
    expect(new Set(table.map(({ code }) => code)).size).toBe(table.length);
    const statuses = table.map(({ status }) => status);
    expect(statuses).toEqual(statuses.toSorted((a, b) => a - b));
  });

  it.each(table)('have the status of their kind: $code', ({ code, status }) => {
    const kinds = new Set(sources.flatMap(({ content }) => kindsOf(content, code)));
    const statuses = [...kinds].map((kind) => STATUS_BY_KIND[kind as keyof typeof STATUS_BY_KIND]);
    expect(statuses.length === 0 ? [status] : statuses).toEqual([status]);
  });

  it('have a title for every status of the table', () => {
    for (const { code, status } of table.filter((row) => row.status !== 502)) {
      expect(makeProblem({ code, status, detail: '', requestId: '' }).title).not.toBe('Error');
    }
  });
});

/** Variables of other programs, and those that are no settings. */
const OTHER_NAMES =
  /^(PANTHEON_CONFIG_FILE|PANTHEON_PORT|PROMETHEUS_PORT|GRAFANA_PORT|NODE_ENV|NODE_OPTIONS|POSTGRES_PASSWORD|VALKEY_PASSWORD|GRAFANA_ADMIN_PASSWORD)$/;

/** The kinds that `new PantheonError` and its direct subclasses state behind a code. */
function kindsOf(content: string, code: string): string[] {
  const thrown = new RegExp(
    `(?:new PantheonError|super)\\(\\s*'${code}',[\\s\\S]{0,600}?kind: '([a-z-]+)'`,
    'g',
  );
  return [...content.matchAll(thrown)].map(([, kind = '']) => kind);
}

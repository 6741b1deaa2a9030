import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import {
  candidateClause,
  type CandidateIndex,
  connectionOf,
  openWhatIfPlanner,
  readCatalog,
  type WhatIfPlanner,
} from '#libs/index-advisor';
import { cloneTemplate } from '../support/database.js';

const PAGE_BYTES = 8_192;

/** Keys, with included columns after a bar and a predicate after a question mark. */
const SHAPES = [
  'unique_number',
  'unique_text',
  'few',
  'flag',
  'skewed',
  'scattered',
  'sequential',
  'city',
  'varying_text',
  'half_null',
  'mostly_null',
  'price',
  'at',
  'uuid',
  'day',
  'few, unique_number',
  'customer, day',
  'customer, few',
  'half_null, few',
  'city, few',
  'small, customer, day',
  'unique_number | few',
  'customer | city, price',
  'scattered ? flag',
  'mostly_null ? mostly_null IS NOT NULL',
  'lower(city)',
];

let client: Client;
let planner: WhatIfPlanner;
let cleanUp: (() => Promise<void>) | undefined;

beforeAll(async () => {
  const workFolder = await mkdtemp(join(tmpdir(), 'what-if-'));
  const { url, drop } = await cloneTemplate();
  client = new Client({ connectionString: url });
  await client.connect();
  await client.query('SELECT setseed(0.42)');
  await client.query(TABLE);
  await client.query('VACUUM ANALYZE shapes');
  planner = await openWhatIfPlanner(await readCatalog(connectionOf(client)), { workFolder });
  await planner.prepare(SHAPES.map((shape) => candidateOf(shape)));
  cleanUp = async () => {
    await planner.close();
    await client.end();
    await drop();
    await rm(workFolder, { recursive: true, force: true });
  };
}, 180_000);

afterAll(() => cleanUp?.());

describe('the size of a B-tree that does not exist', () => {
  it.each(SHAPES)('is within 5 % of the built one, or a page: %s', async (shape) => {
    const candidate = candidateOf(shape);
    const built = await bytesOfBuilt(candidate);
    // A page is more than that of a small index, and ANALYZE looks at a random sample.
    const differenceBytes = Math.abs(planner.sizeBytesOf(candidate) - built);
    expect(differenceBytes).toBeLessThanOrEqual(Math.max(built * 0.05, PAGE_BYTES));
  });
});

describe('the size of other indexes', () => {
  it.each([
    ['hash', 'scattered', 0.15],
    ['brin', 'unique_number', 0.5],
    ['gin', 'words', 0.35],
  ] as const)('is near that of the built one: %s', async (method, column, tolerance) => {
    const candidate = { ...candidateOf(column), method };
    await planner.prepare([candidate]);
    const built = await bytesOfBuilt(candidate);
    expect(Math.abs(planner.sizeBytesOf(candidate) / built - 1)).toBeLessThan(tolerance);
  });
});

function candidateOf(shape: string): CandidateIndex {
  const [columns = '', where] = shape.split(' ? ');
  const [keys = '', include] = columns.split(' | ');
  return {
    schema: 'public',
    table: 'shapes',
    method: 'btree',
    keys: keys
      .split(', ')
      .map((key) => (key.includes('(') ? { expression: key } : { column: key })),
    ...(include === undefined ? {} : { include: include.split(', ') }),
    ...(where === undefined ? {} : { where }),
  };
}

async function bytesOfBuilt(candidate: CandidateIndex): Promise<number> {
  await client.query('BEGIN');
  try {
    await client.query(`CREATE INDEX built ON ${candidateClause(candidate)}`);
    const { rows } = await client.query(`SELECT pg_relation_size('built')::float8 AS bytes`);
    return rows[0].bytes;
  } finally {
    await client.query('ROLLBACK');
  }
}

const TABLE = `
  CREATE TABLE shapes AS SELECT i::int AS unique_number, md5(i::text) AS unique_text,
    (random() * 9)::int AS few, random() < 0.1 AS flag, (random() ^ 3 * 5000)::int AS skewed,
    (random() * 100000)::int AS scattered, i / 7 AS sequential,
    (ARRAY['Ulm','Bonn','Zürich','Garmisch-Partenkirchen'])[1 + i % 4] || (i % 3000) AS city,
    repeat('a', (random() * 90)::int) || i AS varying_text,
    CASE WHEN random() < 0.5 THEN NULL ELSE (random() * 40000)::int END AS half_null,
    CASE WHEN random() < 0.97 THEN NULL ELSE 'x' || i END AS mostly_null,
    (random() * 1000)::numeric(12, 2) AS price,
    '2025-01-01'::timestamptz + (i / 3) * interval '1 minute' AS at, gen_random_uuid() AS uuid,
    date '2024-01-01' + (random() * 700)::int AS day, (random() * 3000)::int AS customer,
    (random() * 10)::int::smallint AS small,
    ARRAY['a' || (random() * 40)::int, 'b' || (random() * 40)::int] AS words
  FROM generate_series(1, 150000) i`;

import { Client } from 'pg';
import { cloneTemplate } from '../support/database.js';

/** A database with a shop's tables, real rows and current statistics. */
export interface ShopDatabase {
  readonly client: Client;
  close(): Promise<void>;
}

/** Creates it; random values have a seed, so that each run has the same rows. */
export async function createShopDatabase(): Promise<ShopDatabase> {
  const { url, drop } = await cloneTemplate();
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(SCHEMA);
  for (const statement of ROWS) await client.query(statement);
  await client.query('VACUUM ANALYZE');
  return {
    client,
    async close() {
      await client.end();
      await drop();
    },
  };
}

const SCHEMA = `
  CREATE EXTENSION pg_trgm;
  CREATE SCHEMA "Shop";
  CREATE TYPE "Shop".state AS ENUM ('new', 'paid', 'shipped', 'returned');
  CREATE DOMAIN "Shop".email AS text CHECK (VALUE LIKE '%@%');
  CREATE TABLE "Shop".customers (
    id int PRIMARY KEY, name text NOT NULL, email "Shop".email NOT NULL, country text,
    profile jsonb NOT NULL, created_at timestamptz NOT NULL);
  CREATE TABLE "Shop"."Orders" (
    id bigint PRIMARY KEY, customer_id int NOT NULL REFERENCES "Shop".customers,
    state "Shop".state NOT NULL, total numeric(12, 2), "placedAt" timestamptz NOT NULL,
    note text, tags text[] NOT NULL);
  CREATE TABLE "Shop".lines (
    order_id bigint REFERENCES "Shop"."Orders", line int, sku text NOT NULL, quantity int NOT NULL,
    PRIMARY KEY (order_id, line));
  CREATE TABLE "Shop".visits (
    visitor int NOT NULL, at timestamptz NOT NULL, page int NOT NULL) PARTITION BY RANGE (at);
  CREATE TABLE "Shop".visits_early PARTITION OF "Shop".visits
    FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');
  CREATE TABLE "Shop".visits_late PARTITION OF "Shop".visits
    FOR VALUES FROM ('2025-07-01') TO ('2026-01-01');
  CREATE TABLE "Shop".stock (sku int, gone int, depot int NOT NULL, region int NOT NULL);
  ALTER TABLE "Shop".stock DROP COLUMN gone;
  CREATE STATISTICS "Shop".depots (dependencies, ndistinct) ON depot, region FROM "Shop".stock;
  CREATE INDEX visits_page ON "Shop".visits (page);
  CREATE INDEX customers_created ON "Shop".customers (created_at);
  CREATE VIEW "Shop".returned AS SELECT * FROM "Shop"."Orders" WHERE state = 'returned';
  CREATE STATISTICS "Shop".line_items (ndistinct) ON sku, quantity FROM "Shop".lines`;

const ROWS = [
  'SELECT setseed(0.42)',
  `INSERT INTO "Shop".customers SELECT i, (ARRAY['Ann','Bob','Cleo','Dirk','Eve'])[1 + i % 5]
     || ' ' || md5(i::text), 'U' || i || '@Example.org',
     CASE WHEN random() < 0.2 THEN NULL
       ELSE (ARRAY['de','fr','it','us','nl','pl'])[1 + (random() ^ 2 * 5.99)::int % 6] END,
     jsonb_build_object('plan', (ARRAY['free','basic','pro'])[1 + i % 3], 'tier', i % 25),
     '2020-01-01'::timestamptz + i * interval '2 hours' FROM generate_series(1, 20000) i`,
  `INSERT INTO "Shop"."Orders" SELECT i, 1 + (random() ^ 2 * 19999)::int,
     (ARRAY['new','paid','shipped','shipped','shipped','shipped','shipped','shipped','shipped',
       'returned'])[1 + (random() * 9)::int]::"Shop".state,
     (random() * 1000)::numeric(12, 2), '2022-01-01'::timestamptz + i * interval '10 minutes',
     CASE WHEN random() < 0.9 THEN NULL ELSE md5(random()::text) END,
     ARRAY['t' || i % 50, 'u' || (random() * 400)::int] FROM generate_series(1, 120000) i`,
  `INSERT INTO "Shop".lines SELECT o, l, 'sku-' || (random() * 4000)::int, 1 + (random() * 9)::int
     FROM generate_series(1, 120000) o, generate_series(1, 2) l`,
  `INSERT INTO "Shop".visits SELECT (random() * 5000)::int,
     '2025-01-01'::timestamptz + i * interval '500 seconds', (random() * 30)::int
     FROM generate_series(0, 62000) i`,
  `INSERT INTO "Shop".stock SELECT i, d, d / 5 FROM (
     SELECT i, (random() * 100)::int AS d FROM generate_series(1, 20000) i) AS rows`,
];

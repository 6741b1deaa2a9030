import type { Catalog } from '../catalog/catalog.js';
import { candidateClause } from '../what-if/candidate-index.js';
import { joinWorkload } from '../workload/read-workload.js';
import type { RecordedStatement } from '../workload/workload.js';
import { proposeCandidates } from './propose-candidates.js';
import { sampleCatalog } from './sample-catalog.js';

const orders = {
  name: 'orders',
  columns: [
    { name: 'id', distinct: -1 },
    { name: 'customer_id', distinct: 5000 },
    { name: 'status', type: 'text', distinct: 4 },
    { name: 'placed_at', type: 'timestamptz', distinct: -0.9, correlation: 0.99 },
    { name: 'total', type: 'numeric' },
    { name: 'paid', type: 'bool', distinct: 2 },
    { name: 'deleted_at', type: 'timestamptz', distinct: 100, nullFraction: 0.5 },
    { name: 'note', type: 'text' },
    { name: 'tenant', distinct: 1 },
    { name: 'data', type: 'jsonb' },
    { name: 'tags', type: '_text' },
    { name: 'search', type: 'tsvector' },
    { name: 'during', type: 'tstzrange' },
    { name: 'raw', type: 'json' },
  ],
  indexes: [{ name: 'orders_pkey', columns: ['id'], isUnique: true }],
};
const customers = {
  name: 'customers',
  columns: [
    { name: 'id', distinct: -1 },
    { name: 'email', type: 'text', distinct: -1 },
    { name: 'country', type: 'text', distinct: 50 },
  ],
};
const mixed = {
  schema: 'Shop',
  name: 'Line Items',
  columns: [{ name: 'orderId' }, { name: 'sku' }],
};
const events = {
  name: 'events',
  kind: 'partitioned' as const,
  pages: 0,
  columns: [{ name: 'at' }, { name: 'kind' }],
};
const small = { name: 'small', pages: 2, columns: [{ name: 'a' }] };

/** A small shop: what statements may read, with statistics that make indexes worth while. */
export const shop = sampleCatalog([orders, customers, mixed, events, small], {
  extensions: ['pg_trgm'],
  views: {
    open_orders: `SELECT o.id, o.customer_id AS buyer, lower(o.note) AS low FROM orders o WHERE o.status = 'open'`,
    everyone: 'SELECT id, customer_id AS who FROM orders UNION ALL SELECT id, id FROM customers',
  },
});

/** What is proposed for statements, all called alike, on the shop unless told otherwise. */
export async function proposedFor(
  texts: readonly string[],
  of: Catalog = shop,
  limits: Parameters<typeof proposeCandidates>[2] = {},
) {
  const statements = texts.map((text): RecordedStatement => ({ text, calls: 10, totalMs: 10 }));
  const workload = await joinWorkload([{ statements, since: undefined }], new Date());
  return proposeCandidates(of, workload, limits);
}

/** The same as the clauses that CREATE INDEX takes. */
export async function clausesFor(
  texts: readonly string[],
  of?: Catalog,
): Promise<readonly string[]> {
  const { candidates } = await proposedFor(texts, of);
  return candidates.map(({ index }) => candidateClause(index));
}

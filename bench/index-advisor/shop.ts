import { openBenchDatabase } from '../support/bench-database.js';
import type { AdvisorOptions, AdvisorReport, CaseStatement } from './measure-advice.js';
import { measureAdvice } from './measure-advice.js';

const LINES = 60_000;

/** A shop after TPC-H: the same tables and joins, with fewer columns. */
const schema = (scale: number): readonly string[] => [
  `CREATE TABLE region (r_regionkey int PRIMARY KEY, r_name text NOT NULL)`,
  `CREATE TABLE nation (n_nationkey int PRIMARY KEY, n_name text NOT NULL,
     n_regionkey int NOT NULL REFERENCES region)`,
  `CREATE TABLE supplier (s_suppkey int PRIMARY KEY, s_name text NOT NULL,
     s_nationkey int NOT NULL REFERENCES nation, s_acctbal numeric(12, 2) NOT NULL)`,
  `CREATE TABLE customer (c_custkey int PRIMARY KEY, c_name text NOT NULL,
     c_nationkey int NOT NULL REFERENCES nation, c_mktsegment text NOT NULL,
     c_acctbal numeric(12, 2) NOT NULL)`,
  `CREATE TABLE part (p_partkey int PRIMARY KEY, p_name text NOT NULL, p_brand text NOT NULL,
     p_type text NOT NULL, p_size int NOT NULL)`,
  `CREATE TABLE orders (o_orderkey int PRIMARY KEY, o_custkey int NOT NULL REFERENCES customer,
     o_orderstatus text NOT NULL, o_totalprice numeric(12, 2) NOT NULL, o_orderdate date NOT NULL,
     o_comment text NOT NULL)`,
  `CREATE TABLE lineitem (l_orderkey int NOT NULL REFERENCES orders, l_linenumber int NOT NULL,
     l_partkey int NOT NULL, l_suppkey int NOT NULL, l_quantity int NOT NULL,
     l_extendedprice numeric(12, 2) NOT NULL, l_discount numeric(4, 2) NOT NULL,
     l_returnflag text NOT NULL, l_shipdate date NOT NULL, PRIMARY KEY (l_orderkey, l_linenumber))`,
  `SELECT setseed(0.7)`,
  `INSERT INTO region SELECT i, 'region ' || i FROM generate_series(0, 4) i`,
  `INSERT INTO nation SELECT i, 'nation ' || i, i % 5 FROM generate_series(0, 24) i`,
  `INSERT INTO supplier SELECT i, 'supplier ' || i, i % 25, random() * 10000
     FROM generate_series(1, 200) i`,
  `INSERT INTO customer SELECT i, 'customer ' || i, i % 25,
     (ARRAY['BUILDING', 'AUTOMOBILE', 'MACHINERY', 'HOUSEHOLD', 'FURNITURE'])[1 + i % 5],
     random() * 10000 FROM generate_series(1, ${1500 * scale}) i`,
  `INSERT INTO part SELECT i, 'part ' || md5(i::text), 'Brand#' || (11 + i % 45),
     'type ' || (i % 150), 1 + i % 50 FROM generate_series(1, ${2000 * scale}) i`,
  `INSERT INTO orders SELECT i, 1 + (random() * ${1500 * scale - 1})::int,
     (ARRAY['F', 'O', 'P'])[1 + (random() * 2)::int], random() * 200000,
     '1992-01-01'::date + (random() * 2400)::int, md5(i::text)
     FROM generate_series(1, ${(LINES / 4) * scale}) i`,
  `INSERT INTO lineitem SELECT o, l, 1 + (random() * ${2000 * scale - 1})::int,
     1 + (random() * 199)::int, 1 + (random() * 49)::int, random() * 50000, random() / 10,
     (ARRAY['A', 'N', 'R'])[1 + (random() * 2)::int], '1992-01-01'::date + (random() * 2500)::int
     FROM generate_series(1, ${(LINES / 4) * scale}) o, generate_series(1, 4) l`,
  // What is planted. Missing are an index on the customer of an order, and on the part of a line.
  `CREATE INDEX orders_date ON orders (o_orderdate)`,
  `CREATE INDEX orders_date_again ON orders (o_orderdate)`,
  `CREATE INDEX orders_comment ON orders (o_comment)`,
  `CREATE INDEX orders_status_price ON orders (o_orderstatus, o_totalprice)`,
  `VACUUM ANALYZE`,
];

const times = <Value>(count: number, make: (position: number) => Value): readonly Value[] =>
  Array.from({ length: count }, (_, position) => make(position));

const STATEMENTS: readonly CaseStatement[] = [
  {
    label: 'orders of a customer',
    sql: `SELECT o_orderkey, o_totalprice FROM orders WHERE o_custkey = $1 ORDER BY o_orderdate DESC LIMIT 20`,
    parameters: times(400, (i) => [1 + i]),
  },
  {
    label: 'lines of a part',
    sql: `SELECT sum(l_quantity), avg(l_extendedprice) FROM lineitem WHERE l_partkey = $1`,
    parameters: times(300, (i) => [1 + i]),
  },
  {
    label: 'an order with its lines',
    sql: `SELECT o.o_orderdate, l.* FROM orders o JOIN lineitem l ON l.l_orderkey = o.o_orderkey WHERE o.o_orderkey = $1`,
    parameters: times(200, (i) => [1 + i * 7]),
  },
  {
    label: 'orders of a week',
    sql: `SELECT count(*), sum(o_totalprice) FROM orders WHERE o_orderdate >= $1::date AND o_orderdate < $1::date + 7`,
    parameters: times(60, (i) => [`199${2 + (i % 6)}-03-0${1 + (i % 9)}`]),
  },
  {
    label: 'revenue of a nation (Q5)',
    sql: `SELECT n.n_name, sum(l.l_extendedprice * (1 - l.l_discount)) FROM customer c JOIN orders o ON o.o_custkey = c.c_custkey JOIN lineitem l ON l.l_orderkey = o.o_orderkey JOIN nation n ON n.n_nationkey = c.c_nationkey WHERE n.n_regionkey = $1 AND o.o_orderdate >= $2::date AND o.o_orderdate < $2::date + 30 GROUP BY n.n_name`,
    parameters: times(20, (i) => [i % 5, `199${2 + (i % 6)}-05-01`]),
  },
  {
    label: 'pricing summary (Q1)',
    sql: `SELECT l_returnflag, sum(l_quantity), count(*) FROM lineitem WHERE l_shipdate <= $1 GROUP BY l_returnflag ORDER BY l_returnflag`,
    parameters: times(5, (i) => [`1998-0${1 + i}-01`]),
  },
  {
    label: 'discount by day (Q6)',
    sql: `SELECT sum(l_extendedprice * l_discount) FROM lineitem WHERE l_shipdate >= $1::date AND l_shipdate < $1::date + 14 AND l_quantity < $2`,
    parameters: times(60, (i) => [`199${3 + (i % 5)}-06-01`, 20 + i]),
  },
  {
    label: 'open orders above a price',
    sql: `SELECT o_orderkey FROM orders WHERE o_orderstatus = $1 AND o_totalprice > $2 ORDER BY o_totalprice LIMIT 10`,
    parameters: times(80, (i) => ['O', 100_000 + i * 500]),
  },
];

export async function measureShop({ scale, rounds }: AdvisorOptions): Promise<AdvisorReport> {
  const database = await openBenchDatabase({ entities: [], migrations: [] });
  try {
    for (const statement of schema(scale)) await database.dataSource.query(statement);
    return await measureAdvice(
      {
        name: 'Shop after TPC-H',
        server: database.server,
        url: database.url,
        rows: LINES * scale,
        statements: STATEMENTS,
        missing: ['orders(o_custkey)', 'lineitem(l_partkey)'],
        superfluous: ['public.orders_date_again', 'public.orders_comment'],
      },
      rounds,
    );
  } finally {
    await database.close();
  }
}

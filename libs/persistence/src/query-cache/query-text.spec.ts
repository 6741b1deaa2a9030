import { describe, expect, it } from '@jest/globals';
import { isCacheable, keyOf, normalizeSpace, relationsIn, tablesWritten } from './query-text.js';
import { tableLives } from './table-lives.js';

const volatile = new Set(['random', 'nextval', 'my_writer']);

describe('a statement', () => {
  it.each([
    'SELECT * FROM book WHERE id = $1',
    '  with a as (select 1) select * from a',
    "SELECT 'now() for update; insert into x' AS text FROM book",
    'SELECT count(*) FROM book -- random()',
    'SELECT updated_at FROM book',
  ])('that only reads may be cached: %s', (text) => {
    expect(isCacheable(text, volatile)).toBe(true);
  });

  it.each([
    'INSERT INTO book VALUES (1) RETURNING id',
    'WITH gone AS (DELETE FROM book RETURNING id) SELECT * FROM gone',
    'SELECT * FROM book FOR UPDATE',
    'SELECT * FROM book FOR NO KEY UPDATE SKIP LOCKED',
    'SELECT now()',
    'SELECT CURRENT_DATE FROM book',
    'SELECT random() FROM book',
    'SELECT MY_WRITER ($1)',
    'SELECT pg_sleep(1)',
    'SELECT 1; DELETE FROM book',
    'BEGIN',
    'EXPLAIN SELECT 1',
  ])('that does more may not: %s', (text) => {
    expect(isCacheable(text, volatile)).toBe(false);
  });

  it.each([
    ['INSERT INTO "Book" VALUES (1)', ['Book']],
    ['insert into public.book values (1) on conflict do update set a = 1', ['book']],
    ['UPDATE ONLY shop . "Big Book" SET a = 1', ['Big Book']],
    ['WITH a AS (DELETE FROM one RETURNING *) INSERT INTO two SELECT * FROM a', ['one', 'two']],
    ['MERGE INTO book USING author ON true WHEN MATCHED THEN DELETE', ['book']],
    ['TRUNCATE TABLE book', ['book']],
    ['TRUNCATE book, public."Author"', ['book', 'Author']],
    ['COPY book (id) FROM STDIN', ['book']],
    ["SELECT 'delete from book'", []],
  ])('names the tables that it writes to: %s', (text, tables) => {
    expect(tablesWritten(text)).toEqual(tables);
  });

  it('names the relations that it reads, at least', () => {
    const relations = new Map([
      ['book', 1],
      ['Author', 1],
      ['view', 1],
      ['other', 1],
    ]);
    expect(
      relationsIn(
        `SELECT b.id, 'other' FROM Book b JOIN "Author" a ON a.id = b.author_id`,
        relations,
      ),
    ).toEqual(['book', 'Author']);
  });
});

describe('the key of a query', () => {
  it('is the same for texts that differ in space and comments', () => {
    expect(normalizeSpace(" SELECT  'a  b'\n FROM x -- why\n")).toBe("SELECT 'a  b' FROM x");
  });

  it('tells values apart that JSON writes alike', () => {
    const values = [
      1,
      '1',
      null,
      'null',
      new Date(0),
      new Date(0).toISOString(),
      Buffer.from('1'),
      1n,
      Number.NaN,
      [1],
      ['1'],
      true,
    ];
    expect(new Set(values.map((value) => keyOf([value]))).size).toBe(values.length);
    expect(keyOf(['a', 'b'])).not.toBe(keyOf(['a,b']));
  });
});

describe('the lives of tables', () => {
  it('are those named, then that of the rest, then none', () => {
    const lives = tableLives('book=5,*=7');
    expect([lives('book'), lives('author')]).toEqual([5, 7]);
    expect(tableLives('')('book')).toBe(0);
  });
});

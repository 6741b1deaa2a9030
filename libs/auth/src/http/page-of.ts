import { decodeCursor, encodeCursor, type Page, type PageQuery } from '#libs/http';
import { z } from 'zod';

const cursorKey = z.tuple([z.uuid()]);

/** A page of what `load` lists in the order of ids; one row more tells whether there is a next. */
export async function pageOf<Item extends { readonly id: string }>(
  { limit, cursor }: PageQuery,
  load: (limit: number, afterId: string | undefined) => Promise<Item[]>,
): Promise<Page<Item>> {
  const afterId = cursor === undefined ? undefined : decodeCursor(cursor, cursorKey)[0];
  const rows = await load(limit + 1, afterId);
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const hasNext = rows.length > limit && last !== undefined;
  return { items, nextCursor: hasNext ? encodeCursor([last.id]) : null };
}

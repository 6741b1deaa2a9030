import { z } from 'zod';
import { PantheonError } from '#libs/core';

const MAX_PAGE_SIZE = 1000;
const DEFAULT_PAGE_SIZE = 50;

/** Query of every list: `?limit=` (1 to 1000, 50) and the `?cursor=` of the page before. */
export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_PAGE_SIZE).default(DEFAULT_PAGE_SIZE),
  cursor: z.string().max(512).optional(),
});

export type PageQuery = z.infer<typeof pageQuerySchema>;

/** One page of a list; `nextCursor` is null on the last. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** The schema of a page of `item`. */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** Packs the sort key of a page's last row into an opaque text. */
export function encodeCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** Unpacks a cursor against the shape of its sort key; one that does not fit is a 400. */
export function decodeCursor<Key extends z.ZodType>(cursor: string, key: Key): z.infer<Key> {
  try {
    return key.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new PantheonError('CURSOR_INVALID', 'The cursor is not one that this list has given.', {
      kind: 'invalid',
      faults: [{ path: 'query.cursor', code: 'CURSOR_INVALID', message: 'Unknown cursor' }],
      cause,
    });
  }
}

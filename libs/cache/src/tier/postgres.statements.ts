/** Statements of `PostgresTier`, named so that each connection prepares them once. */

/** $1 hashes, $2 now. Entries and fences by place; the codec's times say when an entry ends. */
export const READ = {
  name: 'cache_entry_read',
  text: `
    SELECT asked.place, entry.value, entry.fence
    FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (key_hash, place)
    JOIN cache_entry entry ON entry.key_hash = asked.key_hash AND entry.expires_at > $2`,
};

/**
 * $1 hashes, $2 values, $3 fences that were read, $4 ends of the entries, $5 end of a fence made
 * now, $6 now. Stores where the fence is still the same. A fence that was read but is gone with its
 * row refuses; a row that has ended but is not swept yet counts as absent.
 */
export const FILL = {
  name: 'cache_entry_fill',
  text: `
    INSERT INTO cache_entry AS entry (key_hash, value, fence, expires_at)
    SELECT key_hash, value, fence, expires_at
    FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::timestamptz[])
      AS asked (key_hash, value, fence, expires_at)
    WHERE fence = ''
      OR EXISTS (SELECT FROM cache_entry known WHERE known.key_hash = asked.key_hash)
    ORDER BY key_hash
    ON CONFLICT (key_hash) DO UPDATE
    SET value = excluded.value,
        fence = excluded.fence,
        expires_at = CASE WHEN excluded.fence = '' THEN excluded.expires_at
                          ELSE greatest(excluded.expires_at, $5::timestamptz) END
    WHERE entry.fence = excluded.fence OR (excluded.fence = '' AND entry.expires_at <= $6)
    RETURNING key_hash`,
};

/** $1 to $5 as for `FILL`, the fences new ones. Stores whatever is there. */
export const PUT = {
  name: 'cache_entry_put',
  text: `
    INSERT INTO cache_entry (key_hash, value, fence, expires_at)
    SELECT key_hash, value, fence, greatest(expires_at, $5::timestamptz)
    FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::timestamptz[])
      AS asked (key_hash, value, fence, expires_at)
    ORDER BY key_hash
    ON CONFLICT (key_hash) DO UPDATE
    SET value = excluded.value, fence = excluded.fence, expires_at = excluded.expires_at
    RETURNING key_hash`,
};

/** $1 hashes, sorted, $2 new fence, $3 its end, $4 now. Counts the entries that were there. */
export const DROP = {
  name: 'cache_entry_drop',
  text: `
    WITH known AS (
      SELECT key_hash FROM cache_entry
      WHERE key_hash = ANY ($1::uuid[]) AND value IS NOT NULL AND expires_at > $4
    ), dropped AS (
      INSERT INTO cache_entry (key_hash, value, fence, expires_at)
      SELECT key_hash, NULL, $2, $3 FROM unnest($1::uuid[]) AS asked (key_hash)
      ON CONFLICT (key_hash) DO UPDATE
      SET value = NULL, fence = excluded.fence, expires_at = excluded.expires_at
      RETURNING 1
    )
    SELECT (SELECT count(*) FROM known) AS deleted, (SELECT count(*) FROM dropped) AS fences`,
};

/** $1 new fence, $2 its end. */
export const CLEAR = {
  name: 'cache_entry_clear',
  text: `UPDATE cache_entry SET value = NULL, fence = $1, expires_at = $2 WHERE value IS NOT NULL`,
};

/** $1 now, $2 rows at most. Walks the index of `expires_at`, oldest first. */
export const SWEEP = {
  name: 'cache_entry_sweep',
  text: `
    WITH expired AS (
      SELECT key_hash FROM cache_entry WHERE expires_at <= $1
      ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
    ), gone AS (
      DELETE FROM cache_entry entry USING expired
      WHERE entry.key_hash = expired.key_hash
      RETURNING entry.value IS NOT NULL AS was_entry
    )
    SELECT count(*) FILTER (WHERE was_entry) AS swept FROM gone`,
};

/** Entries, counted while they are few and estimated by the planner's statistics when not; bytes of all. */
export const USAGE = {
  name: 'cache_entry_usage',
  text: `
    SELECT CASE WHEN few.items < 10000 THEN few.items ELSE greatest(reltuples::bigint, few.items) END
             AS items,
           pg_total_relation_size(pg_class.oid) AS bytes
    FROM pg_class,
         (SELECT count(*) AS items FROM (
            SELECT FROM cache_entry WHERE value IS NOT NULL LIMIT 10000) AS counted) AS few
    WHERE pg_class.oid = 'cache_entry'::regclass`,
};

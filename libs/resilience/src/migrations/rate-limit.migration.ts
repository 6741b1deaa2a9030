import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Budgets that processes share where there is no Redis. After a crash of the server they are empty,
 * as in a cache, so the table is not logged. `expires_at` is rounded up to minutes: it changes seldom,
 * and an update that changes no indexed column leaves no work for the vacuum.
 *
 * `rate_limit_take` is `take` of `rate-limit/gcra/held-bucket.ts`. Its units are whole numbers.
 */
export class RateLimit1790000500001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE UNLOGGED TABLE rate_limit (
        bucket text PRIMARY KEY,
        deficit bigint NOT NULL,
        at_us bigint NOT NULL,
        epoch bigint NOT NULL,
        held bigint NOT NULL,
        held_before bigint NOT NULL,
        expires_at timestamptz NOT NULL
      ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
      CREATE INDEX rate_limit_expires_at ON rate_limit (expires_at);`);
    await runner.query(TAKE);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION rate_limit_take; DROP TABLE rate_limit');
  }
}

const EPOCH_US = 10_000_000;

/** The state is read under the lock of its row, and the clock after that, so that time only grows. */
const TAKE = `
CREATE FUNCTION rate_limit_take(
  buckets text[], cells bigint[], capacities bigint[], refills bigint[],
  needs bigint[], wants bigint[], parts bigint[],
  settled_epochs bigint[], settleds bigint[], returneds bigint[], debts bigint[]
) RETURNS TABLE (granted bigint, reserve bigint, in_epoch bigint, available bigint, wait_us bigint)
LANGUAGE plpgsql AS $function$
DECLARE
  kept rate_limit%ROWTYPE;
  cell bigint; capacity bigint; refill bigint;
  now_us bigint; current_epoch bigint; floor_units bigint; elapsed bigint; until_us bigint;
BEGIN
  FOR i IN 1 .. cardinality(buckets) LOOP
    cell := cells[i]; capacity := capacities[i]; refill := refills[i];
    LOOP
      SELECT * INTO kept FROM rate_limit WHERE bucket = buckets[i] FOR UPDATE;
      EXIT WHEN FOUND;
      now_us := floor(extract(epoch FROM clock_timestamp()) * 1000000);
      INSERT INTO rate_limit VALUES (buckets[i], 0, now_us, now_us / ${EPOCH_US}, 0, 0, clock_timestamp())
      ON CONFLICT DO NOTHING;
    END LOOP;
    now_us := floor(extract(epoch FROM clock_timestamp()) * 1000000);
    current_epoch := now_us / ${EPOCH_US};

    FOR step IN 1 .. 3 LOOP
      floor_units := (kept.held + kept.held_before) * cell;
      until_us := CASE WHEN step < 3 AND kept.epoch < current_epoch
                       THEN (kept.epoch + 1) * ${EPOCH_US} ELSE now_us END;
      IF until_us > kept.at_us THEN
        -- No longer than it takes to fill up, for the product must not overflow.
        elapsed := least(until_us - kept.at_us, kept.deficit / refill + 1);
        kept.deficit := greatest(floor_units, kept.deficit - elapsed * refill);
        kept.at_us := until_us;
      END IF;
      IF step < 3 AND kept.epoch < current_epoch THEN
        kept.epoch := kept.epoch + 1;
        kept.held_before := kept.held;
        kept.held := 0;
      END IF;
    END LOOP;
    kept.epoch := greatest(kept.epoch, current_epoch);

    IF settled_epochs[i] = kept.epoch AND settleds[i] <= kept.held THEN
      kept.held := kept.held - settleds[i];
      kept.deficit := kept.deficit - returneds[i] * cell;
    ELSIF settled_epochs[i] = kept.epoch - 1 AND settleds[i] <= kept.held_before THEN
      kept.held_before := kept.held_before - settleds[i];
      kept.deficit := kept.deficit - returneds[i] * cell;
    END IF;

    kept.deficit := greatest(kept.deficit, least(capacity, kept.deficit + debts[i] * cell));
    available := greatest(0, (capacity - kept.deficit) / cell);
    granted := least(needs[i], available);
    reserve := least(wants[i], (available - granted) / parts[i]);
    available := available - granted - reserve;
    in_epoch := kept.epoch;
    kept.deficit := kept.deficit + (granted + reserve) * cell;
    kept.held := kept.held + reserve;
    wait_us := CASE WHEN granted < needs[i]
      THEN greatest(1, (kept.deficit + cell - capacity + refill - 1) / refill) ELSE 0 END;

    UPDATE rate_limit SET
      deficit = kept.deficit, at_us = kept.at_us, epoch = kept.epoch,
      held = kept.held, held_before = kept.held_before,
      expires_at = date_trunc('minute', clock_timestamp()
        + greatest(kept.deficit / refill, 2 * ${EPOCH_US}) * interval '1 microsecond')
        + interval '2 minutes'
    WHERE bucket = kept.bucket;
    RETURN NEXT;
  END LOOP;
END $function$`;

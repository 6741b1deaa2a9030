import { DiscoveryService } from '@nestjs/core';

/**
 * Rows of a table that have expired. Both texts are SQL from source code, never from input:
 * `table` a name, with its schema if need be, of a table that is not partitioned; `where` a
 * condition in which `$1` is the present time as `timestamptz`, served by an index.
 */
export interface ExpiredRows {
  /** Who owns the rows, as reports show it: `auth.refresh_token`. */
  readonly owner: string;
  readonly table: string;
  readonly where: string;
}

/**
 * Deletes what has expired of one owner, for what a table and a condition cannot say. Extend it
 * in a provider with `@PurgesExpiredRows()`, and list it among the providers of a module.
 */
export abstract class ExpiredRowsPurger {
  /** Who owns the rows, as reports show it: `context.entry`. */
  abstract readonly owner: string;

  /**
   * Deletes at most about `limit` rows that have expired at `now`, in a transaction of its own.
   * @returns how many; fewer than `limit` means that none are left
   */
  abstract purgeBatch(limit: number, now: Date, signal: AbortSignal): Promise<number>;
}

/** Marks a provider that extends `ExpiredRowsPurger`, so that the hourly purge runs it. */
export const PurgesExpiredRows = DiscoveryService.createDecorator<void>();

import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, WriteBehind } from '#libs/core';
import { RootLogger } from '#libs/logging';
import { DataSource } from 'typeorm';
import { apiKeySettings } from './api-key.settings.js';
import type { KeyUsage } from './key-usage.js';

/**
 * Counts uses of API keys without making requests wait or writing for each: they gather in memory
 * and are added up in one statement. A process that is killed loses those of the last
 * `apiKeys.usageFlushMs`.
 */
@Injectable()
export class ApiKeyUsage implements OnApplicationShutdown {
  private listed: KeyUsage[] = [];
  private readonly behind: WriteBehind;
  private uncounted = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: SettingsStore,
    private readonly clock: Clock,
    log: RootLogger,
  ) {
    this.behind = new WriteBehind({
      delayMs: () => settings.get(apiKeySettings).usageFlushMs,
      isDue: () => this.listed.length > 0,
      write: () => this.write(),
      onError: (error) => {
        log.module('auth').warn('Uses of API keys could not be written; they are tried again', {
          code: 'AUTH_API_KEY_USAGE_UNWRITTEN',
          err: error,
        });
      },
    });
  }

  /** Counts one use. `source` is asked for its address only now and then. */
  count(usage: KeyUsage, source: { readonly ip?: string }): void {
    usage.count += 1;
    usage.lastUsedMs = this.clock.nowMs();
    if (usage.isListed) return;
    const { usageBufferKeys } = this.settings.get(apiKeySettings);
    if (this.listed.length >= usageBufferKeys) {
      this.uncounted += usage.count;
      usage.count = 0;
      return;
    }
    usage.isListed = true;
    usage.address = source.ip;
    this.listed.push(usage);
    this.behind.schedule();
  }

  /** Uses that nobody counted because too many keys were in use at once. */
  get lost(): number {
    return this.uncounted;
  }

  /** Writes what has gathered, and waits for it. */
  flush(): Promise<void> {
    return this.behind.flush();
  }

  onApplicationShutdown(): Promise<void> {
    return this.behind.close();
  }

  private async write(): Promise<void> {
    const written = this.listed;
    this.listed = [];
    const rows = written.map((usage) => {
      const { lookupId, count, lastUsedMs, address = null } = usage;
      usage.isListed = false;
      usage.count = 0;
      return { lookupId, count, lastUsedAt: new Date(lastUsedMs), address };
    });
    try {
      // Two processes that write the same keys lock them in the same order.
      await this.dataSource.query(
        `WITH used AS (
           SELECT "lookupId", sum(count) AS count, max("lastUsedAt") AS "lastUsedAt",
             (array_agg(address ORDER BY "lastUsedAt" DESC))[1] AS address
           FROM jsonb_to_recordset($1::jsonb) AS used (
             "lookupId" text, count bigint, "lastUsedAt" timestamptz, address text)
           GROUP BY "lookupId"
         ), locked AS (
           SELECT lookup_id FROM api_key_version WHERE lookup_id IN (SELECT "lookupId" FROM used)
           ORDER BY lookup_id FOR NO KEY UPDATE
         )
         UPDATE api_key_version version
         SET use_count = version.use_count + used.count,
           last_used_at = greatest(version.last_used_at, used."lastUsedAt"),
           last_used_address = CASE WHEN used."lastUsedAt" >= version.last_used_at
             OR version.last_used_at IS NULL THEN used.address ELSE version.last_used_address END
         FROM used JOIN locked ON locked.lookup_id = used."lookupId"
         WHERE version.lookup_id = used."lookupId"`,
        [JSON.stringify(rows)],
      );
    } catch (error) {
      this.putBack(written, rows);
      throw error;
    }
  }

  private putBack(usages: readonly KeyUsage[], rows: readonly { readonly count: number }[]): void {
    for (const [index, usage] of usages.entries()) {
      usage.count += rows[index]?.count ?? 0;
      if (usage.isListed) continue;
      usage.isListed = true;
      this.listed.push(usage);
    }
    this.behind.schedule();
  }
}

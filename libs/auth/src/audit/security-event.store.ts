import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { SecurityOutcome, SecurityRecord } from './security-event.js';

/** Which events; what is undefined does not matter. */
export interface SecurityEventFilter {
  readonly organizationId?: string | undefined;
  /** Who did it, or whose account it concerns. */
  readonly userId?: string | undefined;
  readonly type?: string | undefined;
  readonly outcome?: SecurityOutcome | undefined;
  readonly targetId?: string | undefined;
  /** From this time on. */
  readonly from?: Date | undefined;
  /** Before this time. */
  readonly to?: Date | undefined;
}

/** The SQL of security events; each method is one statement. */
@Injectable()
export class SecurityEventStore {
  constructor(private readonly dataSource: DataSource) {}

  /** Adds events; one that is there already, by a try whose answer was lost, is left out. */
  async add(
    records: readonly SecurityRecord[],
    manager: EntityManager = this.dataSource.manager,
  ): Promise<void> {
    await manager.query(
      `INSERT INTO security_event (id, occurred_at, type, outcome, actor_id, user_id,
         organization_id, target_kind, target_id, address, user_agent, request_id, occurrences, details)
       SELECT event.id, event."occurredAt", event.type, event.outcome, event."actorId",
         event."userId", coalesce(event."organizationId", account.organization_id),
         event."targetKind", event."targetId", event.address, event."userAgent",
         event."requestId", event.occurrences, event.details
       FROM jsonb_to_recordset($1::jsonb) AS event (
         id uuid, "occurredAt" timestamptz, type text, outcome text, "actorId" uuid,
         "userId" uuid, "organizationId" uuid, "targetKind" text, "targetId" text, address text,
         "userAgent" text, "requestId" text, occurrences integer, details jsonb)
       LEFT JOIN user_account account ON account.id = coalesce(event."userId", event."actorId")
       ON CONFLICT (id) DO NOTHING`,
      [JSON.stringify(records)],
    );
  }

  /** At most `limit` events, the newest first, of those before `beforeId`. */
  list(filter: SecurityEventFilter, limit: number, beforeId?: string): Promise<SecurityRecord[]> {
    return this.dataSource.query<SecurityRecord[]>(
      `SELECT id, occurred_at AS "occurredAt", type, outcome, actor_id AS "actorId",
         user_id AS "userId", organization_id AS "organizationId", target_kind AS "targetKind",
         target_id AS "targetId", address, user_agent AS "userAgent", request_id AS "requestId",
         occurrences, details
       FROM security_event
       WHERE ($1::uuid IS NULL OR organization_id = $1)
         AND ($2::uuid IS NULL OR actor_id = $2 OR user_id = $2)
         AND ($3::text IS NULL OR type = $3) AND ($4::text IS NULL OR outcome = $4)
         AND ($5::text IS NULL OR target_id = $5)
         AND ($6::timestamptz IS NULL OR occurred_at >= $6)
         AND ($7::timestamptz IS NULL OR occurred_at < $7)
         AND ($8::uuid IS NULL OR id < $8)
       ORDER BY id DESC LIMIT $9`,
      [
        filter.organizationId ?? null,
        filter.userId ?? null,
        filter.type ?? null,
        filter.outcome ?? null,
        filter.targetId ?? null,
        filter.from ?? null,
        filter.to ?? null,
        beforeId ?? null,
        limit,
      ],
    );
  }

  /** Deletes at most `limit` of the events before a time, which nothing else may do. */
  deleteBefore(time: Date, limit: number): Promise<number> {
    return this.dataSource.transaction(async (manager) => {
      await manager.query("SET LOCAL pantheon.purges_security_events = 'on'");
      const [, deleted] = await manager.query<[unknown, number]>(
        `DELETE FROM security_event WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM security_event WHERE occurred_at < $1 LIMIT $2))`,
        [time, limit],
      );
      return deleted;
    });
  }
}

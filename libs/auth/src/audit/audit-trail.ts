import { Injectable } from '@nestjs/common';
import { Clock } from '#libs/core';
import type { EntityManager } from 'typeorm';
import { recordOf } from './record-of.js';
import type { SecurityEvent } from './security-event.js';
import { SecurityEventStore } from './security-event.store.js';

/**
 * Records changes of who may do what. Give it the transaction of the change: then there is no
 * change without its record, and no record of a change that was taken back. What happens by itself
 * and often, such as a log-in, is published on `authEvents` instead and written in batches.
 */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly store: SecurityEventStore,
    private readonly clock: Clock,
  ) {}

  /** Resolves when the event is stored; without a transaction that is for good. */
  async record(event: SecurityEvent, manager?: EntityManager): Promise<void> {
    await this.store.add([recordOf(event, this.clock.nowMs())], manager);
  }
}

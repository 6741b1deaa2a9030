import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Clock, PantheonError } from '#libs/core';
import { RootLogger } from '#libs/logging';
import {
  cacheFault,
  type CacheFault,
  cacheState,
  type CacheState,
} from '../statistics/cache.channels.js';

const QUIET_MS = 30_000;
/** Kinds of faults that are told apart; with more of them the oldest speaks up again. */
const MAX_KINDS = 200;

interface Silence {
  readonly sinceMs: number;
  suppressed: number;
}

/**
 * Writes what an operator must hear of the cache: faults that it has survived, and levels that go
 * and come back. A level that is away makes a fault a call, of which the first says it all: the
 * next of its kind is written after half a minute, with the number of those in between.
 */
@Injectable()
export class CacheEventLog implements OnModuleInit, OnApplicationShutdown {
  private readonly silences = new Map<string, Silence>();
  /** Parts of which it was said that they are away; a probe that fails is no news. */
  private readonly away = new Set<string>();
  private stops: (() => void)[] = [];

  constructor(
    private readonly root: RootLogger,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    if (this.stops.length > 0) return;
    this.stops = [
      cacheFault.subscribe((fault) => this.onFault(fault)),
      cacheState.subscribe((state) => this.onState(state)),
    ];
  }

  onApplicationShutdown(): void {
    for (const stop of this.stops.splice(0)) stop();
    this.silences.clear();
    this.away.clear();
  }

  private onFault({ part, operation, error }: CacheFault): void {
    const code = error instanceof PantheonError ? error.code : '';
    const kind = `${part}\u0000${operation}\u0000${code}`;
    const nowMs = this.clock.monotonicMs();
    const silence = this.silences.get(kind);
    if (silence !== undefined && nowMs - silence.sinceMs < QUIET_MS) {
      silence.suppressed += 1;
      return;
    }
    this.silences.delete(kind);
    if (this.silences.size >= MAX_KINDS) this.forgetOldest();
    this.silences.set(kind, { sinceMs: nowMs, suppressed: 0 });
    const suppressed = silence?.suppressed ?? 0;
    this.root.module('cache').warn('A part of the cache failed; it goes on without', {
      part,
      operation,
      err: error,
      ...(suppressed > 0 && { suppressed }),
    });
  }

  private onState({ part, state }: CacheState): void {
    const log = this.root.module('cache');
    if (state === 'open') {
      if (this.away.has(part)) return;
      this.away.add(part);
      log.warn('A part of the cache is left alone until it answers', { part });
    } else if (state === 'closed') {
      this.away.delete(part);
      log.info('A part of the cache answers again', { part });
    } else if (state === 'out-of-sync') {
      log.warn('The cache does not hear the other processes; entries live shorter', { part });
    } else if (state === 'in-sync') {
      log.debug('The cache hears the other processes', { part });
    }
  }

  private forgetOldest(): void {
    for (const kind of this.silences.keys()) {
      this.silences.delete(kind);
      return;
    }
  }
}

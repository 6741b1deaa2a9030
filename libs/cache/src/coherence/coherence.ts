import { setTimeout as sleep } from 'node:timers/promises';
import { type BackgroundTasks, type Clock, newId } from '#libs/core';
import type { Backplane } from '../backplane/backplane.js';
import { cacheFault, cacheState } from '../statistics/cache.channels.js';
import { Gate } from '../tier/gate.js';
import {
  decodeMessage,
  encodeMessage,
  type Invalidation,
  type Message,
  splitItems,
} from './message.js';
import { PeerSequences } from './peer-sequences.js';
import type { SyncState } from './sync-state.js';

/** Heartbeats without an echo after which a node takes itself for disconnected. */
const MISSED_HEARTBEATS = 2.5;
/** Heartbeats that were sent and did not come back, after which the connection that listens is given up. */
const UNHEARD_HEARTBEATS = 5;

export interface CoherenceOptions {
  readonly backplane: Backplane;
  readonly clock: Clock;
  readonly sync: SyncState;
  readonly tasks: BackgroundTasks;
  readonly heartbeatMs: number;
  readonly ackTimeoutMs: number;
  readonly publishTimeoutMs: number;
  /** Applies what another node has invalidated, at once. */
  readonly apply: (items: readonly Invalidation[]) => void;
  /** Resolves when nothing outdated can be written any more because of `items`. */
  readonly settled: (items: readonly Invalidation[]) => Promise<unknown> | undefined;
  readonly onRegained: () => void;
}

/** A message of this node that others have yet to acknowledge. */
interface Waiting {
  acks: number;
  needed: number;
  readonly resolve: (isAcknowledged: boolean) => void;
}

/**
 * Keeps the first levels of all nodes coherent. A publication is acknowledged when every node that
 * the backplane counts has applied it. Each node numbers its messages and repeats the last number in
 * a heartbeat; the heartbeat comes back to its sender too.
 *
 * in sync --connection lost, or no echo of the own heartbeat--> out of sync
 * out of sync --connected, and the own heartbeat came back--> in sync, in a new epoch
 * in sync --a number of another node is missing--> in sync, in a new epoch
 *
 * Where heartbeats can be sent and do not come back, the connection that listens is half open: its
 * other end is gone without a word, which TCP notices after hours. A new one is made then.
 */
export class Coherence {
  readonly nodeId = newId();
  readonly gate: Gate;
  private readonly peers: PeerSequences;
  private readonly waiting = new Map<number, Waiting>();
  private seq = 0;
  private echoedAtMs = 0;
  private isConnected = false;
  private unheard = 0;
  private timer: NodeJS.Timeout | undefined;
  private queue: { items: readonly Invalidation[]; resolve: (ok: boolean) => void }[] = [];
  private isSending = false;
  private isBeatDue = false;

  constructor(private readonly options: CoherenceOptions) {
    const { clock, backplane, heartbeatMs, publishTimeoutMs } = options;
    this.gate = new Gate(backplane.name, { clock, timeoutMs: publishTimeoutMs });
    this.peers = new PeerSequences(clock, heartbeatMs);
    options.sync.lose();
  }

  /** Resolves when this node hears the others, or has tried for as long as it takes to notice a loss. */
  async start(): Promise<void> {
    const onState = (isConnected: boolean): void => this.onState(isConnected);
    const onMessage = (text: string): void => this.onMessage(text);
    this.timer = setInterval(() => this.beat(), this.options.heartbeatMs).unref();
    const starting = this.options.backplane.start(this.nodeId, { onState, onMessage });
    this.options.tasks.run(() => starting);
    const untilMs = this.options.clock.monotonicMs() + this.noticedAfterMs;
    // A broker that stands still takes the connection and never says a word.
    await Promise.race([
      starting.catch(() => undefined),
      sleep(this.noticedAfterMs, undefined, { ref: false }),
    ]);
    if (this.isConnected) await this.waitUntilHeard(untilMs);
  }

  /**
   * Tells all nodes. True when every one has applied it; false when some did not say so in time, or
   * it could not be sent. What is asked for while a message is being sent goes into the next.
   */
  publish(items: readonly Invalidation[]): Promise<boolean> {
    if (items.length === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      this.queue.push({ items, resolve });
      this.startSending();
    });
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    for (const { resolve } of this.waiting.values()) resolve(false);
    this.waiting.clear();
    await this.options.backplane.close();
  }

  /** One message at a time: numbers must arrive in order, also through a pool of connections. */
  private startSending(): void {
    if (this.isSending) return;
    this.isSending = true;
    this.options.tasks.run(async () => {
      try {
        while (this.queue.length > 0 || this.isBeatDue) {
          if (this.queue.length > 0) await this.sendBatch();
          else await this.heartbeat();
        }
      } finally {
        this.isSending = false;
      }
    });
  }

  private async sendBatch(): Promise<void> {
    const batch = this.queue;
    this.queue = [];
    const items = batch.flatMap((each) => each.items);
    const parts = splitItems(items, this.options.backplane.maxMessageBytes);
    const acks: Promise<boolean>[] = [];
    for (const part of parts) acks.push((await this.send(part)).acknowledged);
    const allAcks = Promise.all(acks).then((done) => done.every(Boolean));
    for (const { resolve } of batch) this.options.tasks.run(() => allAcks.then(resolve));
  }

  /** Resolves, when the message is on its way, with the promise of its acknowledgement. */
  private async send(items: Invalidation[]): Promise<{ acknowledged: Promise<boolean> }> {
    this.seq += 1;
    const { seq } = this;
    let timer: NodeJS.Timeout | undefined;
    const acknowledged = new Promise<boolean>((resolve) => {
      this.waiting.set(seq, { acks: 0, needed: Number.POSITIVE_INFINITY, resolve });
      timer = setTimeout(() => resolve(false), this.options.ackTimeoutMs).unref();
    }).finally(() => {
      clearTimeout(timer);
      this.waiting.delete(seq);
    });
    const message: Message = { type: 'invalidate', from: this.nodeId, seq, items };
    const reply = await this.gate.call('publish', () =>
      this.options.backplane.publish(encodeMessage(message)),
    );
    const waiting = this.waiting.get(seq);
    if (!reply.ok) waiting?.resolve(false);
    else if (waiting !== undefined) {
      waiting.needed = reply.value;
      if (waiting.acks >= waiting.needed) waiting.resolve(true);
    }
    // In a box, so that awaiting this method does not await the acknowledgement.
    return { acknowledged };
  }

  private onMessage(text: string): void {
    const message = decodeMessage(text);
    if (message === undefined) {
      const error = new Error('a message on the channel is not of this cache');
      cacheFault.publish(() => ({ part: this.options.backplane.name, operation: 'decode', error }));
      return;
    }
    if (message.from === this.nodeId) {
      this.onEcho();
      if (message.type === 'invalidate') this.onAck(message.seq);
      return;
    }
    if (message.type === 'ack') this.onAck(message.seq);
    else this.onPeer(message);
  }

  private onPeer(message: Exclude<Message, { type: 'ack' }>): void {
    const isGap = !this.peers.follows(message.from, message.seq, message.type === 'heartbeat');
    if (isGap && this.options.sync.isInSync) {
      this.options.sync.regain();
      cacheState.publish(() => ({ part: this.options.backplane.name, state: 'in-sync' }));
    }
    if (message.type === 'heartbeat') return;
    this.options.apply(message.items);
    const text = encodeMessage({ type: 'ack', from: this.nodeId, seq: message.seq });
    const acknowledge = (): Promise<unknown> =>
      this.gate.call('reply', () => this.options.backplane.reply(message.from, text));
    const settled = this.options.settled(message.items);
    this.options.tasks.run(async () => {
      if (settled !== undefined) await settled;
      await acknowledge();
    });
  }

  private onAck(seq: number): void {
    const waiting = this.waiting.get(seq);
    if (waiting === undefined) return;
    waiting.acks += 1;
    if (waiting.acks >= waiting.needed) waiting.resolve(true);
  }

  private onState(isConnected: boolean): void {
    this.isConnected = isConnected;
    this.unheard = 0;
    if (!isConnected) this.lose();
    else this.beat();
  }

  private onEcho(): void {
    this.echoedAtMs = this.options.clock.monotonicMs();
    this.unheard = 0;
    if (this.options.sync.isInSync || !this.isConnected) return;
    this.peers.clear();
    this.options.sync.regain();
    cacheState.publish(() => ({ part: this.options.backplane.name, state: 'in-sync' }));
    this.options.onRegained();
  }

  private lose(): void {
    if (!this.options.sync.isInSync) return;
    this.options.sync.lose();
    cacheState.publish(() => ({ part: this.options.backplane.name, state: 'out-of-sync' }));
  }

  private beat(): void {
    const silentMs = this.options.clock.monotonicMs() - this.echoedAtMs;
    if (silentMs > this.noticedAfterMs) this.lose();
    this.isBeatDue = true;
    this.startSending();
  }

  private async heartbeat(): Promise<void> {
    this.isBeatDue = false;
    if (this.isConnected && this.unheard >= UNHEARD_HEARTBEATS) {
      this.unheard = 0;
      this.options.backplane.reconnect();
    }
    const text = encodeMessage({ type: 'heartbeat', from: this.nodeId, seq: this.seq });
    const { ok } = await this.gate.call('heartbeat', () => this.options.backplane.publish(text));
    if (ok) this.unheard += 1;
  }

  private get noticedAfterMs(): number {
    return this.options.heartbeatMs * MISSED_HEARTBEATS;
  }

  private async waitUntilHeard(untilMs: number): Promise<void> {
    while (!this.options.sync.isInSync && this.options.clock.monotonicMs() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

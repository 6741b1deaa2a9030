import type { Clock } from '#libs/core';
import type { AdmissionSettings } from './admission.settings.js';
import type { EventLoop } from './event-loop.js';
import { GradientLimit } from './gradient-limit.js';
import { Lane } from './lane.js';
import { expectedWaitMs, longestWaitMs } from './patience.js';
import type { RefusalCause } from './refusal-cause.js';
import type { RouteTicket } from './route-ticket.js';
import type { Waiter } from './waiter.js';

/** Requests and answers that follow each other faster are taken for one turn of the event loop. */
const STREAK_GAP_MS = 0.25;
/** How often the limit is thought over. */
const UPDATE_MS = 50;
/** How often those who have waited for too long are looked for while nothing else happens. */
const SWEEP_MS = 10;
/** Lines are looked through at most this often. */
const EXPIRE_EVERY_MS = 1;
/** From this part of a turn's time on it is asked where the turn ends, which costs something itself. */
const LONG_TURN = 0.5;

/**
 * Lets requests to work, has them wait for their turn, or turns them away.
 *
 * - `critical` goes to work at once, whatever else waits.
 * - The others go at once when nobody waits, fewer are at work than the limit says, and the turn of the
 *   event loop has not taken its time yet. Else they wait.
 * - Those who wait go one after another, `interactive` before `batch`, each after the work of the one
 *   before that needs no input. When the turn has taken its time the next goes in the next turn, so that
 *   the loop reads, and answers, what has come meanwhile.
 * - In a burst the oldest goes first, and may wait long. In overload, which `OverloadDetector` tells
 *   from a burst, the newest goes first and the others are turned away soon: as many are served, and
 *   those are served quickly.
 */
export class AdmissionControl {
  readonly critical = new Lane('critical');
  readonly interactive = new Lane('interactive');
  readonly batch = new Lane('batch');
  /** Told how long each had waited when its turn came, or it was refused. */
  onWaited: ((lane: Lane, ms: number) => void) | undefined;
  isMemoryCritical = false;

  private readonly gradient: GradientLimit;
  private limit: number;
  private batchLimit: number;
  private working = 0;
  private turnStartedMs = 0;
  private seenMs = 0;
  private updateMs = 0;
  private expiredMs = 0;
  private isTurnDue = false;
  private isServing = false;
  private stopSweeping: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly loop: EventLoop,
    private settings: AdmissionSettings,
  ) {
    this.gradient = new GradientLimit(settings);
    this.limit = this.gradient.limit;
    this.batchLimit = this.limit;
    this.configure(settings);
  }

  /** Other settings, from now on. */
  configure(settings: AdmissionSettings): void {
    this.settings = settings;
    this.gradient.configure(settings);
    this.adopt();
    if (this.waiting > 0) this.takeTurn();
  }

  /** Most requests at work at once, those of `critical` not counted. */
  get concurrencyLimit(): number {
    return this.limit;
  }

  /** Requests at work, those of `critical` not counted. */
  get inFlight(): number {
    return this.working;
  }

  get waiting(): number {
    return this.interactive.line.size + this.batch.line.size;
  }

  get loopTurnMs(): number {
    return this.loop.turnMs;
  }

  /** Whether a request may go to work at once; it is then counted in until `leave`. Else: `wait`. */
  enter(lane: Lane, nowMs: number): boolean {
    if (nowMs - this.seenMs > STREAK_GAP_MS) this.turnStartedMs = nowMs;
    this.seenMs = nowMs;
    const turnMs = nowMs - this.turnStartedMs;
    const { turnBudgetMs } = this.settings;
    if (turnMs > turnBudgetMs * LONG_TURN) this.takeTurn();
    if (lane === this.critical) {
      if (lane.inFlight >= this.settings.maxCritical) return false;
      lane.begin();
      return true;
    }
    const isBatch = lane === this.batch;
    const isBlocked = this.working >= this.limit || (isBatch && lane.inFlight >= this.batchLimit);
    lane.detector.arrived(isBlocked);
    if (nowMs >= this.updateMs) this.update(nowMs);
    if (
      isBlocked ||
      // Then the newest of all that is read in this turn goes first, and what is critical before it.
      lane.detector.isOverloaded ||
      this.interactive.line.size > 0 ||
      (isBatch && (lane.line.size > 0 || this.isMemoryCritical)) ||
      turnMs > turnBudgetMs
    ) {
      return false;
    }
    this.begin(lane);
    return true;
  }

  /** Puts a request in line, or says why not. */
  wait(waiter: Waiter): RefusalCause | undefined {
    const cause = this.causeAgainst(waiter);
    const { lane } = waiter.ticket;
    if (cause !== undefined) {
      lane.refused[cause] += 1;
      return cause;
    }
    lane.line.add(waiter);
    if (this.working < this.limit) this.takeTurn();
    this.stopSweeping ??= this.loop.later(SWEEP_MS, this.sweep);
    return undefined;
  }

  /** The client of a waiting request has left. */
  drop(waiter: Waiter): void {
    const { lane } = waiter.ticket;
    if (this.remove(waiter)) lane.left += 1;
  }

  /** A request is done. @param ms at work; undefined when that says nothing of how we are */
  leave({ lane, latency }: RouteTicket, ms: number | undefined): void {
    lane.inFlight -= 1;
    if (lane === this.critical) return;
    this.working -= 1;
    this.seenMs = this.clock.monotonicMs();
    if (ms !== undefined) this.gradient.ended(latency, ms);
    if (this.waiting > 0 && !this.isServing) this.takeTurn();
  }

  /** Seconds after which a retry makes sense: spread out, and more of them the more is asked. */
  retryAfterSeconds({ detector }: Lane): number {
    const spread = detector.isOverloaded ? 5 : 2;
    return 1 + Math.floor(Math.random() * spread);
  }

  /** Brings up to date what is told of us, should no request have come for a while. */
  refresh(): void {
    const nowMs = this.clock.monotonicMs();
    if (nowMs >= this.updateMs) this.update(nowMs);
  }

  /** May be called twice. */
  close(): void {
    this.stopSweeping?.();
    this.stopSweeping = undefined;
  }

  private begin(lane: Lane): void {
    lane.begin();
    this.working += 1;
    this.gradient.began(this.working);
  }

  private causeAgainst({ ticket, deadlineMs, arrivedMs }: Waiter): RefusalCause | undefined {
    const { lane, latency } = ticket;
    const { line, detector } = lane;
    if (lane === this.critical) return 'queue-full';
    if (lane === this.batch && this.isMemoryCritical) return 'memory';
    const { maxQueued, maxQueueWaitMs } = this.settings;
    const { oldest } = line;
    const isFull = line.size >= maxQueued;
    if (isFull && (!detector.isOverloaded || oldest === null)) return 'queue-full';
    const leftMs = deadlineMs - arrivedMs;
    const waitMs = expectedWaitMs(lane);
    if (waitMs + (latency.usualMs ?? 0) > leftMs || leftMs <= 0) return 'deadline';
    if (waitMs > maxQueueWaitMs) return 'overloaded';
    // Only who is let into the line himself takes the place of another.
    if (isFull && oldest !== null) this.refuse(oldest, 'queue-full', arrivedMs);
    return undefined;
  }

  private takeTurn(): void {
    if (this.isTurnDue) return;
    this.isTurnDue = true;
    this.loop.nextTurn(this.turn);
  }

  private readonly turn = (): void => {
    const nowMs = this.clock.monotonicMs();
    this.isTurnDue = false;
    this.turnStartedMs = nowMs;
    this.serve(nowMs);
  };

  private serve(nowMs: number): void {
    if (nowMs - this.expiredMs >= EXPIRE_EVERY_MS) this.expire(nowMs);
    const waiter = this.next();
    if (waiter === null) return;
    this.remove(waiter, nowMs);
    const { lane } = waiter.ticket;
    waiter.waitedMs = nowMs - waiter.arrivedMs;
    this.onWaited?.(lane, waiter.waitedMs);
    lane.queued += 1;
    this.begin(lane);
    this.isServing = true;
    waiter.proceed();
    this.loop.afterWork(this.serveOn);
  }

  private readonly serveOn = (): void => {
    this.isServing = false;
    if (this.waiting === 0 || this.working >= this.limit) return;
    const nowMs = this.clock.monotonicMs();
    this.seenMs = nowMs;
    if (nowMs - this.turnStartedMs > this.settings.turnBudgetMs) this.takeTurn();
    else this.serve(nowMs);
  };

  /** Whose turn it is, if anybody's. */
  private next(): Waiter | null {
    if (this.working >= this.limit) return null;
    return (
      firstOf(this.interactive) ??
      (this.batch.inFlight < this.batchLimit ? firstOf(this.batch) : null)
    );
  }

  private readonly sweep = (): void => {
    this.stopSweeping = undefined;
    this.expire(this.clock.monotonicMs());
    if (this.waiting === 0) return;
    this.stopSweeping = this.loop.later(SWEEP_MS, this.sweep);
    if (this.working < this.limit) this.takeTurn();
  };

  /** Turns away those who have waited for too long. */
  private expire(nowMs: number): void {
    this.expiredMs = nowMs;
    for (const { line } of [this.interactive, this.batch]) {
      let waiter = line.oldest;
      while (waiter !== null) {
        const { newer, deadlineMs, arrivedMs, ticket } = waiter;
        const boundMs = longestWaitMs(ticket, this.settings, this.loop.turnMs);
        if (deadlineMs <= nowMs) this.refuse(waiter, 'deadline', nowMs);
        else if (nowMs - arrivedMs > boundMs) this.refuse(waiter, 'overloaded', nowMs);
        waiter = newer;
      }
    }
  }

  private refuse(waiter: Waiter, cause: RefusalCause, nowMs: number): void {
    const { lane } = waiter.ticket;
    this.remove(waiter, nowMs);
    lane.refused[cause] += 1;
    this.onWaited?.(lane, nowMs - waiter.arrivedMs);
    waiter.refuse(cause);
  }

  private remove(waiter: Waiter, nowMs = this.clock.monotonicMs()): boolean {
    const { line, detector } = waiter.ticket.lane;
    if (!line.remove(waiter)) return false;
    if (line.size === 0) detector.emptied(nowMs);
    return true;
  }

  private update(nowMs: number): void {
    this.updateMs = nowMs + UPDATE_MS;
    const busy = this.loop.busy();
    for (const { detector, line } of [this.interactive, this.batch]) {
      if (detector.isWindowOver(nowMs)) detector.roll(nowMs, busy, line.size);
    }
    this.gradient.update(this.loop.turnMs, this.waiting > 0, this.working);
    this.adopt();
    this.loop.probe();
  }

  private adopt(): void {
    this.limit = this.gradient.limit;
    this.batchLimit = Math.max(1, Math.floor(this.limit * this.settings.batchShare));
  }
}

/** The oldest, but in overload the newest: it alone can still be served quickly. */
function firstOf({ line, detector }: Lane): Waiter | null {
  return detector.isOverloaded ? line.newest : line.oldest;
}

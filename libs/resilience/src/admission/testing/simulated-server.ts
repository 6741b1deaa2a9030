import { ManualClock } from '#libs/core';
import { SettingsStore } from '#libs/config';
import { AdmissionControl } from '../admission-control.js';
import { admissionSettings, type AdmissionSettings } from '../admission.settings.js';
import { EventLoop } from '../event-loop.js';
import type { Lane } from '../lane.js';
import type { RefusalCause } from '../refusal-cause.js';
import { RouteLatency } from '../route-latency.js';
import type { RouteTicket } from '../route-ticket.js';
import { Waiter } from '../waiter.js';

/** A handler, in virtual time: first on the CPU, then away from it as one of so many. */
export interface SimulatedWork {
  readonly cpuMs: number;
  readonly ioMs?: number;
  readonly ioSlots?: number;
}

export interface Arrival {
  readonly atMs: number;
  readonly work: SimulatedWork;
  readonly priority: Lane['priority'];
  readonly timeoutMs?: number;
}

/** What became of an arrival. */
export interface SimulatedOutcome extends Arrival {
  /** From the arrival, which nobody sees while the loop is busy, to the answer. */
  readonly ms: number;
  readonly refused: RefusalCause | undefined;
}

/** What it takes to read a request and to go through what comes before the handler, and to refuse one. */
const READ_MS = 0.05;
const REFUSE_MS = 0.05;

/** A server of one thread whose time is counted instead of waited for. */
export class SimulatedServer extends EventLoop {
  readonly control: AdmissionControl;
  readonly outcomes: SimulatedOutcome[] = [];
  turnMs = 0;
  private readonly clock = new ManualClock(0);
  private readonly tickets = new Map<string, RouteTicket>();
  private readonly slots = new Map<SimulatedWork, { free: number; waiting: (() => void)[] }>();
  private readonly immediates: (() => void)[] = [];
  private readonly afterwards: (() => void)[] = [];
  private timers: { atMs: number; call: () => void }[] = [];
  private idleMs = 0;
  private busyMark = { atMs: 0, idleMs: 0 };

  constructor(
    settings: Partial<AdmissionSettings> = {},
    private readonly isOn = true,
  ) {
    super();
    const store = new SettingsStore([admissionSettings], { overrides: { admission: settings } });
    this.control = new AdmissionControl(this.clock, this, store.get(admissionSettings));
  }

  get nowMs(): number {
    return this.clock.monotonicMs();
  }

  busy(): number {
    const { nowMs, idleMs, busyMark } = this;
    const elapsed = nowMs - busyMark.atMs;
    const busy = elapsed === 0 ? 0 : 1 - (idleMs - busyMark.idleMs) / elapsed;
    this.busyMark = { atMs: nowMs, idleMs };
    return busy;
  }

  probe(): void {
    this.nextTurn(() => {
      const startedMs = this.nowMs;
      this.nextTurn(() => {
        this.turnMs += (this.nowMs - startedMs - this.turnMs) * 0.3;
      });
    });
  }

  nextTurn(call: () => void): void {
    this.immediates.push(call);
  }

  afterWork(call: () => void): void {
    this.afterwards.push(call);
  }

  later(ms: number, call: () => void): () => void {
    const timer = { atMs: this.nowMs + ms, call };
    this.timers.push(timer);
    this.timers.sort((a, b) => a.atMs - b.atMs);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** Turns the loop until all arrivals, in order of their time, are answered. */
  run(arrivals: readonly Arrival[]): SimulatedOutcome[] {
    let next = 0;
    this.outcomes.length = 0;
    while (this.outcomes.length < arrivals.length) {
      for (
        let due = this.timers[0];
        due !== undefined && due.atMs <= this.nowMs;
        due = this.timers[0]
      ) {
        this.timers.shift();
        this.call(due.call);
      }
      // All that has come until now is read at once; what comes while it is read waits for the next turn.
      const readMs = this.nowMs;
      for (
        let one = arrivals[next];
        one !== undefined && one.atMs <= readMs;
        one = arrivals[next]
      ) {
        next += 1;
        const arrival = one;
        this.call(() => this.arrive(arrival));
      }
      for (const call of this.immediates.splice(0)) this.call(call);
      if (this.immediates.length === 0) {
        const wakeMs = Math.min(
          arrivals[next]?.atMs ?? Number.POSITIVE_INFINITY,
          this.timers[0]?.atMs ?? Number.POSITIVE_INFINITY,
        );
        if (wakeMs > this.nowMs && wakeMs < Number.POSITIVE_INFINITY) {
          this.idleMs += wakeMs - this.nowMs;
          this.clock.advance(wakeMs - this.nowMs);
        }
      }
    }
    return this.outcomes;
  }

  private call(callback: () => void): void {
    callback();
    for (
      let after = this.afterwards.shift();
      after !== undefined;
      after = this.afterwards.shift()
    ) {
      after();
    }
  }

  private arrive(arrival: Arrival): void {
    this.clock.advance(READ_MS);
    const ticket = this.ticketOf(arrival);
    const { nowMs } = this;
    if (!this.isOn || this.control.enter(ticket.lane, nowMs)) this.work(arrival, ticket, nowMs);
    else {
      const waiter = new SimulatedWaiter(ticket, nowMs, arrival, this);
      const cause = this.control.wait(waiter);
      if (cause !== undefined) this.refuse(arrival, cause);
    }
  }

  work(arrival: Arrival, ticket: RouteTicket, startedMs: number): void {
    const { work } = arrival;
    this.clock.advance(work.cpuMs);
    const end = (): void => {
      this.outcomes.push({ ...arrival, ms: this.nowMs - arrival.atMs, refused: undefined });
      if (this.isOn) this.control.leave(ticket, this.nowMs - startedMs);
    };
    const { ioMs } = work;
    if (ioMs === undefined) {
      end();
      return;
    }
    const slots = this.slotsOf(work);
    const begin = (): void => {
      this.later(ioMs, () => {
        const waiting = slots.waiting.shift();
        if (waiting === undefined) slots.free += 1;
        else waiting();
        end();
      });
    };
    if (slots.free > 0) {
      slots.free -= 1;
      begin();
    } else slots.waiting.push(begin);
  }

  refuse(arrival: Arrival, refused: RefusalCause): void {
    this.clock.advance(REFUSE_MS);
    this.outcomes.push({ ...arrival, ms: this.nowMs - arrival.atMs, refused });
  }

  private slotsOf(work: SimulatedWork): { free: number; waiting: (() => void)[] } {
    let slots = this.slots.get(work);
    if (slots === undefined) {
      slots = { free: work.ioSlots ?? Number.POSITIVE_INFINITY, waiting: [] };
      this.slots.set(work, slots);
    }
    return slots;
  }

  private ticketOf({ priority, work }: Arrival): RouteTicket {
    const key = `${priority} ${JSON.stringify(work)}`;
    let ticket = this.tickets.get(key);
    if (ticket === undefined) {
      ticket = { lane: this.control[priority], latency: new RouteLatency() };
      this.tickets.set(key, ticket);
    }
    return ticket;
  }
}

class SimulatedWaiter extends Waiter {
  constructor(
    ticket: RouteTicket,
    nowMs: number,
    private readonly arrival: Arrival,
    private readonly server: SimulatedServer,
  ) {
    super(ticket, nowMs, nowMs + (arrival.timeoutMs ?? Number.POSITIVE_INFINITY));
  }

  proceed(): void {
    this.server.work(this.arrival, this.ticket, this.server.nowMs);
  }

  refuse(cause: RefusalCause): void {
    this.server.refuse(this.arrival, cause);
  }
}

/** Arrivals of a Poisson process; the same ones for the same seed. */
export function poisson(
  perSecond: number,
  durationMs: number,
  arrival: Omit<Arrival, 'atMs'>,
  { seed = 1, fromMs = 0 }: { readonly seed?: number; readonly fromMs?: number } = {},
): Arrival[] {
  const random = mulberry32(seed);
  const arrivals: Arrival[] = [];
  let at = 0;
  for (;;) {
    at += (-Math.log(1 - random()) * 1_000) / perSecond;
    if (at >= durationMs) return arrivals;
    arrivals.push({ ...arrival, atMs: fromMs + at });
  }
}

/** A small generator of random numbers that can be repeated (Tommy Ettinger). */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

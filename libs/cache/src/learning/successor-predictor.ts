import { KeyPredictor, type KeySuccessors, type Prediction } from './key-predictor.js';
import { RecentMap } from './recent-map.js';

export interface SuccessorPredictorOptions {
  /** Keys whose successors are remembered. Default 4,096. */
  readonly maxKeys?: number;
  /** Successors that are counted for each key. Default 8. */
  readonly fanOut?: number;
  /** Clients whose last reads are remembered. Default 4,096. */
  readonly maxClients?: number;
  /** A client's reads in which a key counts as following another. Default 4. */
  readonly lookAhead?: number;
  /** A client's reads further apart do not belong together. Default 600,000. */
  readonly sessionGapMs?: number;
}

interface Client {
  lastAtMs: number;
  /** The last keys, the newest last, none twice in a row. */
  recent: string[];
}

interface Row {
  /** Reads of the key, halved now and then together with the counts. */
  total: number;
  readonly keys: string[];
  readonly counts: number[];
}

/** Reads of a key after which all its counts are halved, so that habits may change. */
const MEMORY = 64;
const NOTHING: readonly Prediction[] = [];

/**
 * Which keys a client reads within its next few reads of the same namespace. Counts for each key
 * are kept by Misra and Gries ("Finding repeated elements", 1982): a few counters a key that never
 * say too much, so a confidence is never too high. The keys read last are remembered.
 *
 * An observation costs `lookAhead` look-ups in a `Map`, a prediction one.
 */
export class SuccessorPredictor extends KeyPredictor {
  private readonly rows: RecentMap<Row>;
  private readonly clients: RecentMap<Client>;
  private readonly options: Required<SuccessorPredictorOptions>;

  constructor(options: SuccessorPredictorOptions = {}) {
    super();
    this.options = {
      maxKeys: 4_096,
      fanOut: 8,
      maxClients: 4_096,
      lookAhead: 4,
      sessionGapMs: 600_000,
      ...options,
    };
    this.rows = new RecentMap(this.options.maxKeys);
    this.clients = new RecentMap(this.options.maxClients);
  }

  observe(clientId: string, key: string, atMs: number): void {
    const { recent } = this.clientAt(clientId, atMs);
    if (recent.at(-1) === key) return;
    // A key that stands in `recent` again later was followed by this one there already.
    const seenAt = recent.lastIndexOf(key);
    for (let at = recent.length - 1; at > seenAt; at -= 1) {
      const earlier = recent[at] as string;
      if (recent.indexOf(earlier, at + 1) < 0) this.count(this.rows.get(earlier), key);
    }
    this.touch(key);
    recent.push(key);
    if (recent.length > this.options.lookAhead) recent.shift();
  }

  forgetClients(): void {
    this.clients.clear();
  }

  predict(key: string, minConfidence = 0): readonly Prediction[] {
    const row = this.rows.get(key);
    if (row === undefined) return NOTHING;
    // One observation more than there was: something seen once is not certain.
    const all = row.total + 1;
    let predictions: Prediction[] | undefined;
    for (let index = 0; index < row.keys.length; index += 1) {
      const confidence = (row.counts[index] as number) / all;
      if (confidence < minConfidence) continue;
      predictions ??= [];
      predictions.push({ key: row.keys[index] as string, confidence, support: row.total });
    }
    return predictions?.sort((a, b) => b.confidence - a.confidence) ?? NOTHING;
  }

  strongest(limit: number): readonly KeySuccessors[] {
    return [...this.rows.entries()]
      .filter(([, { keys }]) => keys.length > 0)
      .sort(([, a], [, b]) => b.total - a.total)
      .slice(0, limit)
      .map(([key]) => ({ key, successors: this.predict(key) }));
  }

  private clientAt(id: string, atMs: number): Client {
    const known = this.clients.get(id);
    if (known === undefined) {
      const client: Client = { lastAtMs: atMs, recent: [] };
      this.clients.set(id, client);
      return client;
    }
    if (atMs - known.lastAtMs > this.options.sessionGapMs) known.recent = [];
    known.lastAtMs = atMs;
    return known;
  }

  private touch(key: string): void {
    let row = this.rows.get(key);
    if (row === undefined) {
      row = { total: 0, keys: [], counts: [] };
      this.rows.set(key, row);
    }
    row.total += 1;
    if (row.total >= MEMORY) halve(row);
  }

  private count(row: Row | undefined, key: string): void {
    if (row === undefined) return;
    const at = row.keys.indexOf(key);
    if (at >= 0) row.counts[at] = (row.counts[at] as number) + 1;
    else if (row.keys.length < this.options.fanOut) {
      row.keys.push(key);
      row.counts.push(1);
    } else {
      for (let index = 0; index < row.counts.length; index += 1) {
        row.counts[index] = (row.counts[index] as number) - 1;
      }
      dropBelow(row, 0);
    }
  }
}

function halve(row: Row): void {
  row.total /= 2;
  for (let index = 0; index < row.counts.length; index += 1) {
    row.counts[index] = (row.counts[index] as number) / 2;
  }
  dropBelow(row, 0.5);
}

function dropBelow(row: Row, least: number): void {
  for (let index = row.counts.length - 1; index >= 0; index -= 1) {
    if ((row.counts[index] as number) > least) continue;
    row.keys.splice(index, 1);
    row.counts.splice(index, 1);
  }
}

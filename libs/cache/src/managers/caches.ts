import type { CacheOptions } from '../engine/cache.options.js';
import type { Cache } from '../engine/cache.js';
import type { CacheHub } from '../engine/cache-hub.js';
import type { InvalidationReceipt } from '../engine/hub-parts.js';
import { CACHE_KINDS, type CacheKind } from './cache-kind.js';

/** Options of a namespace: those of its cache, and to which budget it belongs. */
export interface NamespaceOptions<Value = unknown> extends CacheOptions<Value> {
  /** Default `application`. */
  readonly kind?: CacheKind;
}

/** A namespace that is open. */
export interface Namespace {
  readonly name: string;
  readonly kind: CacheKind;
  readonly cache: Cache;
  /** What was asked for; the bytes in force may be fewer. */
  readonly options: NamespaceOptions;
}

/** Bounds of a namespace in the first level; undefined bytes leave it to the budget of its kind. */
export interface NamespaceBounds {
  readonly maxItems?: number | undefined;
  readonly maxBytes?: number | undefined;
}

/** A namespace that names no bound gets at most this part of the budget of its kind. */
const DEFAULT_PART = 0.5;

/**
 * The namespaces of the process by kind. The namespaces of a kind share its budget: as long as
 * what they ask for fits, each gets it; when it does not, each gets less in proportion. So the
 * first level as a whole never holds more than its bound, however many namespaces there are.
 */
export class Caches {
  private readonly opened = new Map<string, Namespace>();
  private readonly listeners = new Set<(namespace: Namespace) => void>();
  private caps: Readonly<Record<CacheKind, number>> | undefined;

  constructor(
    readonly hub: CacheHub,
    private declared: Readonly<Record<CacheKind, number>>,
    private readonly defaults: CacheOptions = {},
  ) {}

  /** The cache of a namespace, made at the first call; the options of that call count. */
  open<Value = unknown>(name: string, options: NamespaceOptions<Value> = {}): Cache<Value> {
    const known = this.opened.get(name);
    if (known !== undefined) return known.cache as Cache<Value>;
    const { kind = 'application', ...own } = options;
    const cache = this.hub.cache<Value>(name, {
      ...(this.defaults as CacheOptions<Value>),
      ...own,
    });
    const namespace: Namespace = {
      name,
      kind,
      cache,
      options: options as NamespaceOptions,
    };
    this.opened.set(name, namespace);
    this.divide(kind);
    for (const listener of this.listeners) listener(namespace);
    return cache;
  }

  /** Tells of each namespace, of the open ones at once and of others when they are opened. */
  onOpened(listener: (namespace: Namespace) => void): () => void {
    for (const namespace of this.opened.values()) listener(namespace);
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  find(name: string): Cache | undefined {
    return this.opened.get(name)?.cache;
  }

  namespace(name: string): Namespace | undefined {
    return this.opened.get(name);
  }

  namespaces(kind?: CacheKind): Namespace[] {
    const all = [...this.opened.values()];
    return kind === undefined ? all : all.filter((namespace) => namespace.kind === kind);
  }

  /** Bytes of the first level for each kind, while memory is not short. */
  get budgets(): Readonly<Record<CacheKind, number>> {
    return this.declared;
  }

  /** Bytes of the first level that a kind may fill now. */
  budgetOf(kind: CacheKind): number {
    return Math.min(this.declared[kind], this.caps?.[kind] ?? Number.POSITIVE_INFINITY);
  }

  /** Bytes of the first level that a kind fills. */
  bytesOf(kind: CacheKind): number {
    return this.namespaces(kind).reduce((sum, { cache }) => sum + cache.statistics(0).bytes, 0);
  }

  /** Changes what a namespace asks for; the budget of its kind stays the bound. */
  resize(name: string, bounds: NamespaceBounds): void {
    const namespace = this.opened.get(name);
    if (namespace === undefined) return;
    const options = { ...namespace.options, ...bounds } as NamespaceOptions;
    this.opened.set(name, { ...namespace, options });
    if (bounds.maxItems !== undefined) namespace.cache.resize({ maxItems: bounds.maxItems });
    this.divide(namespace.kind);
  }

  /** Lets go of a namespace; others of its kind get its bytes. */
  close(name: string): void {
    const namespace = this.opened.get(name);
    if (namespace === undefined) return;
    this.opened.delete(name);
    this.hub.forgetCache(name);
    this.divide(namespace.kind);
  }

  /** Takes over other budgets; smaller ones take effect at once. */
  setBudgets(budgets: Readonly<Record<CacheKind, number>>): void {
    this.declared = budgets;
    for (const kind of CACHE_KINDS) this.divide(kind);
  }

  /** Bounds the kinds below their budgets for a while; at once, and until the next call. */
  setCaps(caps: Readonly<Record<CacheKind, number>> | undefined): void {
    this.caps = caps;
    for (const kind of CACHE_KINDS) this.divide(kind);
  }

  /** Invalidates, in every process, what has one of the tags. */
  invalidateTags(tags: readonly string[]): Promise<InvalidationReceipt> {
    return this.hub.invalidateTags(tags);
  }

  /** Invalidates every entry of a namespace in every process, whether or not it is open here. */
  clearNamespace(name: string): Promise<InvalidationReceipt> {
    return this.hub.clearNamespace(name);
  }

  private divide(kind: CacheKind): void {
    const budget = this.budgetOf(kind);
    const namespaces = this.namespaces(kind);
    const asked = namespaces.map(({ options }) =>
      Math.min(options.maxBytes ?? budget * DEFAULT_PART, budget),
    );
    const sum = asked.reduce((total, bytes) => total + bytes, 0);
    const scale = sum > budget ? budget / sum : 1;
    for (const [index, { cache }] of namespaces.entries()) {
      cache.resize({ maxBytes: Math.floor((asked[index] as number) * scale) });
    }
  }
}

import type { NamespaceOptions } from '../managers/caches.js';
import type { AnyCacheableOptions, VaryBy } from './cacheable.options.js';
import type { CachedRequest } from './cached-request.js';

/** A GET handler that has `@Cacheable`, with its options made ready to use. */
export interface CachedHandler {
  readonly controller: object;
  readonly methodName: string;
  /** What the decorator said. */
  readonly options: AnyCacheableOptions;
  readonly namespace: string;
  /** Options to open the namespace with; without tags, which depend on the request. */
  readonly namespaceOptions: NamespaceOptions<never>;
  /** What the decorator says the answer varies by; undefined when it says nothing. */
  readonly varyBy: readonly VaryBy[] | undefined;
  /** Key from `key` or `keyBy`; undefined when the decorator has neither: route, query and scope decide. */
  readonly keyOf: ((request: CachedRequest) => string) | undefined;
  /** Tags of a response by what the handler returned. */
  tagsOf(value: unknown, request: CachedRequest): readonly string[];
  /** Whether the cache is to be used for the request. */
  applies(request: CachedRequest): boolean;
  /** Whether what the handler returned may be stored. */
  isStorable(value: unknown): boolean;
}

/** Caches whole responses. Implemented in `response/`; the explorer hands GET handlers over. */
export abstract class ResponseCaching {
  /** Called once for each handler, before routes are registered. */
  abstract attach(handler: CachedHandler): void;
}

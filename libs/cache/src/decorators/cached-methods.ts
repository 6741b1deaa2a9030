import { Injectable } from '@nestjs/common';
import type { Cache } from '../engine/cache.js';
import type { KeyLoad } from '../learning/key-source.js';
import type { AnyCacheableOptions } from './cacheable.options.js';

/** A method in front of which there is a cache, or a GET handler whose responses are cached. */
export interface CachedMethod {
  readonly kind: 'method' | 'handler';
  /** As `Orders.find`. */
  readonly name: string;
  readonly methodName: string;
  readonly instance: object;
  readonly namespace: string;
  readonly options: AnyCacheableOptions;
  /**
   * The key under which a call with these arguments is stored for whoever asks now; undefined when
   * the call does not use the cache. Handlers have none.
   */
  entryKeyOf(args: readonly unknown[]): string | undefined;
  /** What a call with these arguments does when its key is missing; undefined for handlers. */
  loadOf(args: readonly unknown[]): KeyLoad | undefined;
  /** The cache of the namespace, opened if it is not yet; undefined for handlers. */
  cache(): Cache | undefined;
  /** Told of each call that uses the cache, before it is asked; one listener at a time. */
  onCall: ((key: string, args: readonly unknown[]) => void) | undefined;
}

/** What the decorators have put a cache in front of. Filled at boot by the explorer. */
@Injectable()
export class CachedMethods {
  private readonly methods: CachedMethod[] = [];

  add(method: CachedMethod): void {
    this.methods.push(method);
  }

  all(): readonly CachedMethod[] {
    return this.methods;
  }

  /** The methods whose values are in a namespace. */
  of(namespace: string): CachedMethod[] {
    return this.methods.filter((method) => method.namespace === namespace);
  }
}

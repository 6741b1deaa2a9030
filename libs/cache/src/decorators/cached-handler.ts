import type { NamespaceOptions } from '../managers/caches.js';
import { keyText, variantsTag } from '../keys/entry-key.js';
import type { AnyCacheableOptions } from './cacheable.options.js';
import type { CachedRequest } from './cached-request.js';
import type { Report } from './call-rules.js';
import type { MethodShape } from './method-shape.js';
import type { CachedHandler } from './response-caching.js';
import { compileForRequest } from './slots.js';

export interface CachedHandlerParts {
  readonly controller: object;
  readonly shape: MethodShape;
  readonly namespace: string;
  readonly options: AnyCacheableOptions;
  readonly namespaceOptions: NamespaceOptions<never>;
}

/** Compiles `@Cacheable` on a GET handler for whoever caches its responses. */
export function cachedHandler(parts: CachedHandlerParts, report: Report): CachedHandler {
  const { controller, shape, namespace, options, namespaceOptions } = parts;
  const keyOf = requestKey(options, shape, report);
  const tagsOf = requestTags(options, shape, report);
  const { conditionBy, unless } = options;
  const isExempt = unless as ((value: unknown) => boolean) | undefined;
  return {
    controller,
    methodName: shape.methodName,
    options,
    namespace,
    namespaceOptions,
    varyBy: options.varyBy,
    keyOf,
    tagsOf: (value, request) =>
      keyOf === undefined
        ? tagsOf(value, request)
        : // So that @CacheEvict with the key evicts it for all that it varies by.
          [...tagsOf(value, request), variantsTag(namespace, keyOf(request))],
    applies: (request) => conditionBy?.(request) ?? true,
    isStorable: (value) => isExempt?.(value) !== true,
  };
}

function requestKey(
  { key, keyBy }: AnyCacheableOptions,
  shape: MethodShape,
  report: Report,
): CachedHandler['keyOf'] {
  // A request without a key is one of its kind: undefined is as good as any other text.
  if (keyBy !== undefined) return (request) => keyText(keyBy(request)) ?? '=u';
  if (typeof key !== 'string') return undefined;
  const compiled = compileForRequest(key, shape);
  if (compiled.isReady) return compiled.fill;
  report(compiled.problem);
  return undefined;
}

function requestTags(
  { tags, tagsBy }: AnyCacheableOptions,
  shape: MethodShape,
  report: Report,
): CachedHandler['tagsOf'] {
  if (tagsBy !== undefined) return tagsBy;
  if (typeof tags === 'function') return tags;
  const fills = (tags ?? []).flatMap((tag) => {
    const compiled = compileForRequest(tag, shape);
    if (compiled.isReady) return [compiled.fill];
    report(compiled.problem);
    return [];
  });
  return (_, request: CachedRequest) => fills.map((fill) => fill(request));
}

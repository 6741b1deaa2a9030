import { z } from 'zod';
import type { EntryOptions, ResolvedOptions } from '../engine/cache.options.js';
import type { Caches, Namespace, NamespaceBounds } from '../managers/caches.js';

const DAY_MS = 86_400_000;
const milliseconds = z
  .int()
  .min(0)
  .max(365 * DAY_MS);

/** What can be changed of a namespace at run time. */
export const namespaceOverrideSchema = z
  .strictObject({
    ttlMs: milliseconds.describe('Life of entries for whom their code names none'),
    maxTtlMs: milliseconds.describe('No life is longer'),
    jitter: z.number().min(0).max(1).describe('Part of the life that is taken off at random'),
    staleMs: milliseconds.describe('How long an entry may stand in for a slow or failing load'),
    revalidateMs: milliseconds.describe(
      'How long a stale entry is served while a new one is loaded',
    ),
    absentTtlMs: milliseconds.describe('Life of the answer that there is nothing'),
    maxItems: z.int().min(0).max(100_000_000).describe('Bound of the first level'),
    maxBytes: z
      .int()
      .min(0)
      .max(2 ** 40)
      .describe('Bound of the first level, within the budget of the kind'),
  })
  .partial();

export type NamespaceOverride = z.infer<typeof namespaceOverrideSchema>;

type Rule = Pick<
  ResolvedOptions,
  'ttlMs' | 'maxTtlMs' | 'jitter' | 'staleMs' | 'revalidateMs' | 'absentTtlMs'
>;

/** Puts overrides over what the code says of namespaces, and takes them off again. */
export class NamespaceOverrides {
  private readonly declared = new Map<
    string,
    { readonly rule: Rule; readonly bounds: NamespaceBounds }
  >();

  constructor(private readonly caches: Caches) {}

  /** To be called for each namespace once, before anything of it is overridden. */
  remember({ name, cache, options }: Namespace): void {
    const { maxItems, maxBytes } = options;
    this.declared.set(name, {
      rule: ruleOf(cache.rule),
      bounds: { maxItems: maxItems ?? cache.statistics(0).maxItems, maxBytes },
    });
  }

  /** Puts exactly this over what the code says; of a namespace that is not open it does nothing. */
  apply(name: string, override: NamespaceOverride): void {
    const declared = this.declared.get(name);
    const cache = this.caches.find(name);
    if (declared === undefined || cache === undefined) return;
    const { maxItems, maxBytes, ...rule } = override;
    cache.configure({ ...declared.rule, ...rule } as EntryOptions);
    this.caches.resize(name, {
      maxItems: maxItems ?? declared.bounds.maxItems,
      maxBytes: maxBytes ?? declared.bounds.maxBytes,
    });
  }
}

function ruleOf(options: ResolvedOptions): Rule {
  const { ttlMs, maxTtlMs, jitter, staleMs, revalidateMs, absentTtlMs } = options;
  return { ttlMs, maxTtlMs, jitter, staleMs, revalidateMs, absentTtlMs };
}

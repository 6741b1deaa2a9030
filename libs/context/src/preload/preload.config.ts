import { z } from 'zod';

/** Why a memory is preloaded, in the order in which they choose. */
export const PRELOAD_CATEGORIES = ['recent', 'frequent', 'important', 'context'] as const;
export type PreloadCategory = (typeof PRELOAD_CATEGORIES)[number];

/** No user has more memories preloaded. */
export const MOST_PRELOADED = 100;

const percent = z.number().int().min(0).max(100);
const minutes = z.number().int().min(1).max(1_440);

const shares = z
  .strictObject({
    recent: percent.default(40),
    frequent: percent.default(30),
    important: percent.default(20),
    context: percent.default(10),
  })
  .refine(
    ({ recent, frequent, important, context }) => recent + frequent + important + context === 100,
    'the shares must add up to 100',
  );

const ttlMinutes = z.strictObject({
  recent: minutes.default(120),
  frequent: minutes.default(240),
  important: minutes.default(360),
  context: minutes.default(60),
});

/** What is preloaded for a user. What is not stated has its default. */
export const preloadConfigSchema = z.strictObject({
  auto: z
    .boolean()
    .default(false)
    .describe('Whether it is loaded again by itself before it runs out'),
  maxRows: z.number().int().min(1).max(MOST_PRELOADED).default(MOST_PRELOADED),
  shares: shares.prefault({}).describe('Parts of maxRows in percent'),
  ttlMinutes: ttlMinutes.prefault({}).describe('How long each part is kept'),
});
export type PreloadConfig = z.infer<typeof preloadConfigSchema>;

export const DEFAULT_PRELOAD_CONFIG: PreloadConfig = preloadConfigSchema.parse({});

/** Rows of each category; the first takes what rounding leaves. */
export function rowsOf({ maxRows, shares: parts }: PreloadConfig): Record<PreloadCategory, number> {
  const part = (share: number): number => Math.floor((maxRows * share) / 100);
  const [frequent, important, context] = [
    part(parts.frequent),
    part(parts.important),
    part(parts.context),
  ];
  return { recent: maxRows - frequent - important - context, frequent, important, context };
}

import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** A size such as `500MB`, `1.5GiB` or a number of bytes. */
export const sizeSchema = z.string().transform((text, context) => {
  const [, number = '', unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase() === 'b' ? '' : unit.toLowerCase()];
  if (number === '' || factor === undefined) {
    context.addIssue({ code: 'custom', message: 'must be a size such as 500MB or 1GB' });
    return z.NEVER;
  }
  return Math.round(Number(number) * factor);
});

export const adviseOptionsSchema = z.object({
  url: z
    .url({
      protocol: /^postgres(ql)?$/,
      message: 'must be an address such as postgres://host/database',
    })
    .optional(),
  budget: sizeSchema.optional(),
  time: z.coerce.number().positive().max(3600).optional(),
  minDays: z.coerce.number().min(0).max(365).optional(),
  apply: z.boolean().default(false),
  databaseUrl: z.string().optional(),
});

export type AdviseOptions = z.infer<typeof adviseOptionsSchema>;

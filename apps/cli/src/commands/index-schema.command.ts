import { adviseSchema, readCatalog, readSequences, readWorkload } from '#libs/index-advisor';
import { z } from 'zod';
import type { CommandIo, Outcome } from '../command-spec.js';
import { parseOptions } from '../parse-options.js';
import { adviseOptionsSchema } from './index-options.js';
import { renderFinding } from './index-report.js';
import { withTarget } from './index-target.js';

const optionsSchema = z.object({
  url: adviseOptionsSchema.shape.url,
  databaseUrl: adviseOptionsSchema.shape.databaseUrl,
});

/** Says what should be different about tables: types, NOT NULL, foreign keys, space, duplicates. */
export async function indexSchema(given: unknown, io: CommandIo): Promise<Outcome> {
  return withTarget(parseOptions(optionsSchema, given), io, async ({ session }) => {
    const catalog = await readCatalog(session);
    const sequences = await readSequences(session);
    const { statements } = await readWorkload(session);
    const findings = await adviseSchema({ catalog, sequences, statements });
    const text =
      findings.length === 0
        ? 'Nothing was found.'
        : findings.map((finding) => renderFinding(finding)).join('\n\n');
    return { data: { findings }, text };
  });
}

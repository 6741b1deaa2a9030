import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { defineSettings } from '#libs/config';
import {
  replaceGenerated,
  settingsDocuments,
  settingsMarkdown,
} from '../../apps/shared/src/settings-docs.js';

describe('the tables of settings', () => {
  it.each(settingsDocuments)(
    'in $path are those of the source (npm run docs:settings)',
    async ({ path, update }) => {
      const document = await readFile(path, 'utf8');
      expect(update(document)).toBe(document);
    },
  );

  it('say name, variable, values, default and meaning of a setting, and what is special about it', () => {
    const section = defineSettings('sample', {
      sizeBytes: z.number().int().min(1).max(4096).default(1024).meta({ description: 'Size' }),
      mode: z.enum(['a', 'b']).default('a').meta({ description: 'This | that', live: true }),
      key: z.string().optional().meta({ description: 'Key', env: 'KEY', secret: true }),
    });
    expect(settingsMarkdown([section]).split('\n').slice(4)).toEqual([
      '| `sample.sizeBytes` | `PANTHEON_SAMPLE_SIZE_BYTES` | 1 to 4,096 | `1024` | Size |',
      '| `sample.mode` | `PANTHEON_SAMPLE_MODE` | `a`, `b` | `"a"` | This \\| that (live) |',
      '| `sample.key` | `KEY` | text |  | Key (secret) |',
    ]);
  });

  it('replace what is between their marks and nothing else', () => {
    const document = 'a\n<!-- generated: t -->\nold\n<!-- end: t -->\nb';
    const updated = replaceGenerated(document, 't', 'new');
    expect(updated).toMatch(/^a\n<!-- generated: t -->\n.*new.*<!-- end: t -->\nb$/s);
    expect(replaceGenerated(updated, 't', 'new')).toBe(updated);
    expect(() => replaceGenerated('without marks', 't', 'new')).toThrow('no part');
  });
});

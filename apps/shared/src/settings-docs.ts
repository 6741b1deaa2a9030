import { z } from 'zod';
import { type SettingsSection, SettingsStore } from '#libs/config';
import { allSettings } from './all-settings.js';

/** A row of the table of settings. */
interface Row {
  readonly path: string;
  readonly env: string;
  readonly values: string;
  readonly fallback: string;
  readonly description: string;
  readonly marks: string;
}

/** The settings that somebody who starts Pantheon for the first time wants to know. */
const FIRST_SETTINGS = [
  'http.host',
  'http.port',
  'database.url',
  'redis.url',
  'postgres.dataDir',
  'auth.adminEmail',
  'auth.adminPassword',
  'auth.registration',
  'auth.encryptionKey',
  'jobs.inProcess',
  'metrics.token',
  'logging.levels',
];

/** A document that tells of settings, and what it has to say today. */
export interface SettingsDocument {
  readonly path: string;
  readonly update: (document: string) => string;
}

export const settingsDocuments: readonly SettingsDocument[] = [
  {
    path: 'README.md',
    update: (document) =>
      replaceGenerated(document, 'settings', settingsMarkdown(allSettings, FIRST_SETTINGS)),
  },
  {
    path: 'docs/settings.md',
    update: (document) => replaceGenerated(document, 'settings', settingsMarkdown(allSettings)),
  },
];

const HEADING = ['Setting', 'Variable', 'Values', 'Default', 'Meaning'] as const;

/**
 * Every setting of `sections` as Markdown, a table a section; with `only`, the named ones in one
 * table. What is live or secret is marked behind the meaning.
 */
export function settingsMarkdown(
  sections: readonly SettingsSection[],
  only?: readonly string[],
): string {
  const rows = sections.map((section) => ({ key: section.key, rows: rowsOf(section) }));
  if (only === undefined) {
    return rows.map(({ key, rows: own }) => `## ${key}\n\n${table(own)}`).join('\n\n');
  }
  const byPath = new Map(rows.flatMap(({ rows: own }) => own.map((row) => [row.path, row])));
  return table(
    only.map((path) => {
      const row = byPath.get(path);
      if (row === undefined) throw new TypeError(`There is no setting "${path}".`);
      return row;
    }),
  );
}

/** Puts `content` between the two comments that mark the generated part `name` of a document. */
export function replaceGenerated(document: string, name: string, content: string): string {
  const [start, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];
  const from = document.indexOf(start);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new TypeError(`The document has no part "${start} … ${end}".`);
  return `${document.slice(0, from)}${start}\n<!-- prettier-ignore-start -->\n\n${content}\n\n<!-- prettier-ignore-end -->\n${document.slice(to)}`;
}

function rowsOf(section: SettingsSection): Row[] {
  const { properties = {} } = z.toJSONSchema(section.schema, {
    io: 'input',
    unrepresentable: 'any',
  });
  return new SettingsStore([section]).describe().map((setting) => {
    const name = setting.path.slice(section.key.length + 1);
    return {
      path: setting.path,
      env: setting.env,
      values: valuesOf(properties[name] as z.core.JSONSchema.BaseSchema),
      fallback: setting.value === undefined ? '' : code(JSON.stringify(setting.value)),
      description: setting.description,
      marks: [setting.live && 'live', setting.secret && 'secret'].filter(Boolean).join(', '),
    };
  });
}

function valuesOf(schema: z.core.JSONSchema.BaseSchema): string {
  const { type, minimum, maximum, enum: choices } = schema;
  if (choices !== undefined) return choices.map((choice) => code(String(choice))).join(', ');
  if (type === 'boolean') return '`true`, `false`';
  if (type === 'integer' || type === 'number') return rangeOf(minimum, maximum);
  if (type === 'array') return 'list, by commas';
  return type === 'object' ? 'JSON object' : 'text';
}

function rangeOf(minimum: number | undefined, maximum: number | undefined): string {
  const isOpen = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER;
  return isOpen
    ? `from ${grouped(minimum ?? 0)}`
    : `${grouped(minimum ?? 0)} to ${grouped(maximum)}`;
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ path, env, values, fallback, description, marks }) => [
    code(path),
    code(env),
    values,
    fallback,
    marks === '' ? description : `${description} (${marks})`,
  ]);
  const head = [HEADING, HEADING.map(() => '---')];
  return [...head, ...lines].map((cells) => `| ${cells.map(escaped).join(' | ')} |`).join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|');
}

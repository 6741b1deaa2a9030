import { eventChannel, type Fault } from '#libs/core';
import { SettingsInvalidError } from './errors/settings-invalid.error.js';
import { parseEnvironmentValue } from './environment-value.js';
import type { SettingsOf, SettingsSection } from './settings-section.js';

export type SettingSource = 'default' | 'file' | 'environment' | 'override';

/** A setting that got another value, with secrets masked. */
export interface SettingChange {
  /** `section.name` */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
  /** False: the new value is used from the next start on. */
  readonly live: boolean;
}

export interface SettingDescription {
  readonly path: string;
  readonly env: string;
  readonly description: string;
  readonly secret: boolean;
  readonly live: boolean;
  readonly value: unknown;
  readonly source: SettingSource;
}

/** Values by section and name, as a configuration file holds them. */
export type SettingsTree = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface SettingsLayers {
  /** What the configuration file says. */
  readonly file?: SettingsTree;
  /** Environment variables. Default: none. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly overrides?: SettingsTree;
}

interface Resolved {
  readonly values: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly sources: ReadonlyMap<string, SettingSource>;
}

/** Every applied change of settings, in the order applied. */
export const settingsChanged = eventChannel<readonly SettingChange[]>('pantheon.config.changed');

const MASK = '***';
const OWN_PREFIX = 'PANTHEON_';

/**
 * Holds validated, frozen settings in layers: defaults < file < environment < run-time
 * overrides. `get` costs one map look-up. A change of a layer is validated whole before
 * anything is replaced, so an invalid one changes nothing.
 */
export class SettingsStore {
  private resolved: Resolved;
  private readonly listeners = new Set<(changes: readonly SettingChange[]) => void>();

  /** @throws SettingsInvalidError with the path and source of every fault */
  constructor(
    private readonly sections: readonly SettingsSection[],
    private layers: SettingsLayers = {},
  ) {
    this.resolved = this.resolve(layers);
  }

  /** The settings of one section. @throws when the section was not given to this store */
  get<Section extends SettingsSection>(section: Section): SettingsOf<Section> {
    const values = this.resolved.values.get(section.key);
    if (values === undefined) {
      throw new TypeError(`Settings section "${section.key}" is not part of this store.`);
    }
    return values as SettingsOf<Section>;
  }

  /** Variables with our prefix that no setting reads: most likely a misspelt name. */
  unknownVariables(): string[] {
    const known = new Set(
      this.sections.flatMap((section) => [...section.settings.values()].map(({ env }) => env)),
    );
    return Object.keys(this.layers.environment ?? {}).filter(
      (name) => name.startsWith(OWN_PREFIX) && !known.has(name),
    );
  }

  /** Every setting with its value (secrets masked), where it came from and what it means. */
  describe(): SettingDescription[] {
    return this.sections.flatMap((section) =>
      [...section.settings].map(([name, meta]) => {
        const path = `${section.key}.${name}`;
        return {
          path,
          env: meta.env,
          description: meta.description,
          secret: meta.secret ?? false,
          live: meta.live ?? false,
          value: this.shown(section, name, this.resolved.values.get(section.key)?.[name]),
          source: this.resolved.sources.get(path) ?? 'default',
        };
      }),
    );
  }

  /**
   * Puts another file, environment or set of overrides in force.
   * @returns what changed; nothing when the values stay the same
   * @throws SettingsInvalidError, and then everything stays as it was
   */
  replaceLayers(layers: Partial<SettingsLayers>): readonly SettingChange[] {
    const nextLayers = { ...this.layers, ...layers };
    const next = this.resolve(nextLayers);
    const changes = this.compare(next);
    this.layers = nextLayers;
    this.resolved = next;
    if (changes.length > 0) {
      for (const listener of this.listeners) listener(changes);
      settingsChanged.publish(() => changes);
    }
    return changes;
  }

  /**
   * Sets settings, by `section.name`, for the life of the process and above every other layer.
   * All of them or, when one does not fit, none.
   */
  overrideAll(values: Readonly<Record<string, unknown>>): readonly SettingChange[] {
    const overrides: Record<string, Record<string, unknown>> = {};
    for (const [key, section] of Object.entries(this.layers.overrides ?? {})) {
      overrides[key] = { ...section };
    }
    for (const [path, value] of Object.entries(values)) {
      const [key = '', name = ''] = path.split('.');
      (overrides[key] ??= {})[name] = value;
    }
    return this.replaceLayers({ overrides });
  }

  /** Takes back what `overrideAll` has set, so that the layers below count again. */
  withdrawOverrides(paths: readonly string[]): readonly SettingChange[] {
    const withdrawn = new Set(paths);
    const overrides = Object.fromEntries(
      Object.entries(this.layers.overrides ?? {}).map(([key, section]) => [
        key,
        Object.fromEntries(
          Object.entries(section).filter(([name]) => !withdrawn.has(`${key}.${name}`)),
        ),
      ]),
    );
    return this.replaceLayers({ overrides });
  }

  /** Calls `listener` after each change until the returned function is called. */
  onChange(listener: (changes: readonly SettingChange[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private resolve({ file = {}, environment = {}, overrides = {} }: SettingsLayers): Resolved {
    const faults = [...this.unknownKeys(file, 'file'), ...this.unknownKeys(overrides, 'override')];
    const values = new Map<string, Readonly<Record<string, unknown>>>();
    const sources = new Map<string, SettingSource>();
    for (const section of this.sections) {
      const raw: Record<string, unknown> = {};
      for (const [name, { env }] of section.settings) {
        const path = `${section.key}.${name}`;
        const text = environment[env];
        const schema = section.schema.shape[name];
        if (Object.hasOwn(overrides[section.key] ?? {}, name)) {
          raw[name] = overrides[section.key]?.[name];
          sources.set(path, 'override');
        } else if (text !== undefined && text !== '' && schema !== undefined) {
          raw[name] = parseEnvironmentValue(schema as never, text);
          sources.set(path, 'environment');
        } else if (Object.hasOwn(file[section.key] ?? {}, name)) {
          raw[name] = file[section.key]?.[name];
          sources.set(path, 'file');
        }
      }
      const result = section.schema.safeParse(raw);
      if (result.success) {
        values.set(section.key, Object.freeze(result.data));
      } else {
        faults.push(...result.error.issues.map((issue) => this.fault(section, issue, sources)));
      }
    }
    if (faults.length > 0) throw new SettingsInvalidError(faults);
    return { values, sources };
  }

  private fault(
    section: SettingsSection,
    issue: {
      readonly path: readonly PropertyKey[];
      readonly code: string;
      readonly message: string;
    },
    sources: ReadonlyMap<string, SettingSource>,
  ): Fault {
    const name = String(issue.path[0] ?? '');
    const path = [section.key, ...issue.path].map(String).join('.');
    const source = sources.get(`${section.key}.${name}`);
    const env = section.settings.get(name)?.env;
    const origin = source === undefined ? '' : ` (from ${source})`;
    return { path, code: issue.code, message: `${issue.message}${origin}; set ${env ?? path}` };
  }

  private unknownKeys(tree: SettingsTree, source: SettingSource): Fault[] {
    return Object.entries(tree).flatMap(([key, values]) => {
      const section = this.sections.find((candidate) => candidate.key === key);
      const names = section === undefined ? [undefined] : Object.keys(values ?? {});
      return names
        .filter((name) => name === undefined || section?.settings.has(name) !== true)
        .map((name) => ({
          path: name === undefined ? key : `${key}.${name}`,
          code: 'unrecognized_keys',
          message: `No such setting (from ${source})`,
        }));
    });
  }

  private compare(next: Resolved): SettingChange[] {
    return this.sections.flatMap((section) =>
      [...section.settings].flatMap(([name, { live }]) => {
        const before = this.resolved.values.get(section.key)?.[name];
        const after = next.values.get(section.key)?.[name];
        if (JSON.stringify(before) === JSON.stringify(after)) return [];
        return [
          {
            path: `${section.key}.${name}`,
            before: this.shown(section, name, before),
            after: this.shown(section, name, after),
            live: live ?? false,
          },
        ];
      }),
    );
  }

  private shown(section: SettingsSection, name: string, value: unknown): unknown {
    return section.settings.get(name)?.secret === true && value !== undefined ? MASK : value;
  }
}

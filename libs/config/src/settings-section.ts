import { z } from 'zod';

/** What a setting says of itself beside its type; given with zod's `.meta()`, last in the chain. */
export interface SettingMeta {
  /** One sentence for people; it stands in the settings table. */
  readonly description: string;
  /** Environment variable; by default `PANTHEON_<SECTION>_<NAME>`. */
  readonly env?: string;
  /** Masked wherever settings are shown. */
  readonly secret?: boolean;
  /** Whether a change takes effect in a running process. Default: false, at the next start. */
  readonly live?: boolean;
}

declare module 'zod' {
  interface GlobalMeta {
    env?: string;
    secret?: boolean;
    live?: boolean;
  }
}

export interface SettingsSection<Shape extends z.ZodRawShape = z.ZodRawShape> {
  readonly key: string;
  readonly schema: z.ZodObject<Shape>;
  /** What each setting says of itself, by its name. */
  readonly settings: ReadonlyMap<string, SettingMeta & { readonly env: string }>;
}

export type SettingsOf<Section extends SettingsSection> = Readonly<z.infer<Section['schema']>>;

/**
 * Declares the settings of one lib. The section object is the typed key under which
 * `SettingsStore.get` returns them. Each setting needs a description.
 */
export function defineSettings<Shape extends z.ZodRawShape>(
  key: string,
  shape: Shape,
): SettingsSection<Shape> {
  const settings = new Map<string, SettingMeta & { env: string }>();
  for (const [name, schema] of Object.entries(shape)) {
    const meta = z.globalRegistry.get(schema as z.ZodType);
    if (meta?.description === undefined) {
      throw new TypeError(`Setting ${key}.${name} has no description: end it with .meta({ … }).`);
    }
    settings.set(name, {
      description: meta.description,
      env: meta.env ?? `PANTHEON_${screamingSnake(key)}_${screamingSnake(name)}`,
      secret: meta.secret ?? false,
      live: meta.live ?? false,
    });
  }
  return { key, schema: z.strictObject(shape), settings };
}

function screamingSnake(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase();
}

import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

export interface ComposeService {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly stop_grace_period?: string;
  readonly restart: string;
  readonly read_only?: boolean;
  readonly secrets?: readonly string[];
  readonly deploy: {
    readonly replicas?: number;
    readonly resources: { readonly limits: { readonly cpus: string; readonly memory: string } };
  };
}

export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly environment: string }>>;
}

/** docker-compose.yml as Docker Compose sees it before it fills in variables. */
export async function readCompose(): Promise<Compose> {
  return parse(await readFile('docker-compose.yml', 'utf8'), { merge: true }) as Compose;
}

/** One service; an error when there is none of that name. */
export function serviceOf(compose: Compose, name: string): ComposeService {
  const service = compose.services[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service "${name}"`);
  return service;
}

/** Milliseconds of a duration such as `30s`. */
export function durationMs(text: string): number {
  const [, value, unit] = /^(\d+)(ms|s|m)$/.exec(text) ?? [];
  if (value === undefined) throw new Error(`not a duration: ${text}`);
  return Number(value) * { ms: 1, s: 1_000, m: 60_000 }[unit as 'ms' | 's' | 'm'];
}

export interface Interpolation {
  readonly variable: string;
  /** `:?` fails when the variable is empty, `:-` takes a default. */
  readonly operator: ':?' | ':-' | '';
}

/** Every `${VARIABLE}` of a text. */
export function interpolations(text: string): Interpolation[] {
  return [...text.matchAll(/\$\{(\w+)(:\?|:-)?[^}]*\}/g)].map(
    ([, variable = '', operator = '']) => ({
      variable,
      operator: operator as Interpolation['operator'],
    }),
  );
}

import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { SettingsInvalidError } from './errors/settings-invalid.error.js';
import { defineSettings } from './settings-section.js';
import { type SettingChange, type SettingsLayers, SettingsStore } from './settings.store.js';

const http = defineSettings('http', {
  port: z
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(3000)
    .meta({ description: 'Port', env: 'PORT' }),
  trustProxy: z.boolean().default(false).meta({ description: 'Trust', live: true }),
  origins: z.array(z.string()).default([]).meta({ description: 'Origins' }),
  levels: z.record(z.string(), z.string()).default({}).meta({ description: 'Levels' }),
  token: z.string().optional().meta({ description: 'Token', secret: true, live: true }),
});

function storeOf(layers: SettingsLayers = {}): SettingsStore {
  return new SettingsStore([http], layers);
}

function faultsOf(action: () => unknown): readonly { path: string; message: string }[] {
  try {
    action();
  } catch (error) {
    if (error instanceof SettingsInvalidError) return error.faults;
  }
  throw new Error('expected SettingsInvalidError');
}

describe('SettingsStore', () => {
  it('takes the highest layer that says something: override, environment, file, default', () => {
    const file = { http: { port: 1, origins: ['file'] } };
    expect(storeOf().get(http).port).toBe(3000);
    expect(storeOf({ file }).get(http).port).toBe(1);
    expect(storeOf({ file, environment: { PORT: '2' } }).get(http).port).toBe(2);
    const store = storeOf({ file, environment: { PORT: '2' }, overrides: { http: { port: 3 } } });
    expect(store.get(http).port).toBe(3);
    expect(store.get(http).origins).toEqual(['file']);
  });

  it('keeps falsy values of a layer: presence counts, not truth', () => {
    const store = storeOf({
      file: { http: { port: 8080, trustProxy: true } },
      environment: { PORT: '0', PANTHEON_HTTP_TRUST_PROXY: 'false' },
    });
    expect(store.get(http)).toMatchObject({ port: 0, trustProxy: false });
  });

  it('reads numbers, booleans, lists and JSON from environment variables', () => {
    const { trustProxy, origins, levels } = storeOf({
      environment: {
        PANTHEON_HTTP_TRUST_PROXY: '1',
        PANTHEON_HTTP_ORIGINS: 'a, b',
        PANTHEON_HTTP_LEVELS: '{"jobs":"debug"}',
      },
    }).get(http);
    expect({ trustProxy, origins, levels }).toEqual({
      trustProxy: true,
      origins: ['a', 'b'],
      levels: { jobs: 'debug' },
    });
  });

  it('names the path, source and variable of every fault at once', () => {
    const faults = faultsOf(() =>
      storeOf({ file: { http: { trustProxy: 'maybe' } }, environment: { PORT: 'eighty' } }),
    );
    expect(faults.map(({ path }) => path)).toEqual(['http.port', 'http.trustProxy']);
    expect(faults[0]?.message).toMatch(/from environment\); set PORT/);
    expect(faults[1]?.message).toMatch(/from file/);
  });

  it('refuses keys that no setting has, in any section', () => {
    const faults = faultsOf(() =>
      storeOf({
        file: { http: { prot: 1 }, nothing: { a: 1 } },
      }),
    );
    expect(faults.map(({ path }) => path)).toEqual(['http.prot', 'nothing']);
  });

  it('points out variables with our prefix that nobody reads', () => {
    const store = storeOf({ environment: { PANTHEON_HTTP_PROT: '1', PATH: '/bin' } });
    expect(store.unknownVariables()).toEqual(['PANTHEON_HTTP_PROT']);
  });

  it('masks secrets wherever settings are shown', () => {
    const changes: SettingChange[] = [];
    const store = storeOf({ environment: { PANTHEON_HTTP_TOKEN: 'hunter2' } });
    store.onChange((batch) => changes.push(...batch));
    store.overrideAll({ 'http.token': 'hunter3' });
    expect(JSON.stringify([store.describe(), changes])).not.toContain('hunter');
    expect(store.get(http).token).toBe('hunter3');
  });

  it('reports what a change changed, once, and whether it is live', () => {
    const batches: (readonly SettingChange[])[] = [];
    const store = storeOf();
    const stop = store.onChange((changes) => batches.push(changes));
    store.replaceLayers({ file: { http: { port: 4000, trustProxy: true } } });
    store.replaceLayers({ file: { http: { port: 4000, trustProxy: true } } });
    stop();
    store.overrideAll({ 'http.port': 5000 });
    expect(batches).toEqual([
      [
        { path: 'http.port', before: 3000, after: 4000, live: false },
        { path: 'http.trustProxy', before: false, after: true, live: true },
      ],
    ]);
  });

  it('changes nothing when one of several values does not fit', () => {
    const store = storeOf();
    expect(() => store.overrideAll({ 'http.trustProxy': true, 'http.port': -1 })).toThrow(
      SettingsInvalidError,
    );
    expect(store.get(http)).toMatchObject({ trustProxy: false, port: 3000 });
  });

  it('takes an override back, so that the layers below count again', () => {
    const store = storeOf();
    store.replaceLayers({ file: { http: { port: 4000 } } });
    store.overrideAll({ 'http.port': 5000, 'http.trustProxy': true });
    expect(store.withdrawOverrides(['http.port', 'http.token'])).toEqual([
      { path: 'http.port', before: 5000, after: 4000, live: false },
    ]);
    expect(store.get(http)).toMatchObject({ port: 4000, trustProxy: true });
  });

  it('hands out frozen settings', () => {
    expect(Object.isFrozen(storeOf().get(http))).toBe(true);
  });
});

describe('defineSettings', () => {
  it('refuses a setting without a description', () => {
    expect(() => defineSettings('x', { y: z.string() })).toThrow(/x\.y has no description/);
  });
});

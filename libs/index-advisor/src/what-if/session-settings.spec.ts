import { describe, expect, it } from '@jest/globals';
import type { ServerFacts } from '../catalog/catalog.js';
import { settingStep } from './session-settings.js';

const server = (majorVersion: number): ServerFacts => ({
  versionNumber: majorVersion * 10_000,
  majorVersion,
  database: 'shop',
  role: 'reader',
  isReplica: false,
  blockBytes: 8192,
  sortsByBytes: true,
  encoding: 'UTF8',
  settings: new Map([
    ['random_page_cost', '1.1'],
    ['jit_above_cost', '1'],
  ]),
  countersSince: undefined,
});

describe('the settings of the planner', () => {
  it('are those of the server, without those of its compiler', () => {
    expect(settingStep(server(18)).parameters).toEqual([['random_page_cost'], ['1.1']]);
  });

  it('switch off what came after the version of the server', () => {
    const [names, values] = settingStep(server(15)).parameters ?? [];
    expect(names).toContain('enable_presorted_aggregate');
    expect(names).toContain('enable_self_join_elimination');
    expect(names).not.toContain('enable_memoize');
    expect((values as string[]).slice(1)).toEqual(
      Array((names as string[]).length - 1).fill('off'),
    );
  });
});

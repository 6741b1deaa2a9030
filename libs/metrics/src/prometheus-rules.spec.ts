import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { SettingsStore } from '#libs/config';
import { ManualClock } from '#libs/core';
import { Metrics, metricsSettings, watchPool } from './index.js';

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

const file = parse(await readFile('deploy/prometheus/rules.yml', 'utf8')) as {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
};
const rules = file.groups.flatMap((group) => group.rules);

const OF_UPPER_LIBS = /^(?:cache|circuit|rate_limit)_|:cache_/;

/** Names in a PromQL expression that are neither functions, keywords, labels nor texts. */
function metricNames(expression: string): string[] {
  const bare = expression
    .replaceAll(/"[^"]*"|\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(?:by|on)\s*\([^)]*\)/g, ' ');
  return [...bare.matchAll(/[a-z_][\w:]*(?![\w:]|\s*\()/g)]
    .map(([name]) => name)
    .filter((name) => !['and', 'sum', 'by', 'on'].includes(name));
}

async function exported(): Promise<Set<string>> {
  const store = new SettingsStore([metricsSettings]);
  const metrics = new Metrics(store, new ManualClock(), 'test');
  watchPool(metrics.registry, () => ({ totalCount: 1, idleCount: 1, waitingCount: 0 }));
  const { text } = await metrics.expose();
  metrics.onModuleDestroy();
  const names = new Set<string>();
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    names.add(name);
    for (const part of PARTS[type] ?? []) names.add(`${name}_${part}`);
  }
  return names;
}

const PARTS: Readonly<Record<string, readonly string[]>> = {
  histogram: ['bucket', 'sum', 'count'],
  summary: ['sum', 'count'],
};

describe('deploy/prometheus/rules.yml', () => {
  it('asks only for metrics that are exported, or recorded by a rule', async () => {
    const known = await exported();
    const recorded = rules.flatMap(({ record }) => record ?? []);
    for (const name of [...recorded, 'up']) known.add(name);
    const asked = rules.flatMap(({ expr }) => metricNames(expr));
    expect(asked.length).toBeGreaterThan(rules.length - 1);
    // Metrics of upper libs are held to the rules by the end-to-end test of the monitoring.
    const own = asked.filter((name) => !OF_UPPER_LIBS.test(name));
    expect(own.filter((name) => !known.has(name))).toEqual([]);
  });

  it('has rules that are whole, each name once', () => {
    for (const rule of rules) {
      expect((rule.record === undefined) !== (rule.alert === undefined)).toBe(true);
      expect(count(rule.expr, '(')).toBe(count(rule.expr, ')'));
      if (rule.alert === undefined) continue;
      expect(rule.labels?.['severity']).toMatch(/^(info|warning|critical)$/);
      expect(rule.annotations?.['summary']).toMatch(/\S/);
    }
    const names = rules.map(({ record, alert }) => record ?? alert);
    expect(new Set(names).size).toBe(names.length);
  });
});

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

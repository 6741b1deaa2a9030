import { Turns } from '#libs/core';
import { type Grammar, type SqlNode } from './grammar.js';
import { isAboutTables, parameterCount, plannableText } from './statement-text.js';
import type { RecordedStatement, WorkloadStatement } from './workload.js';

/** Texts of one shape that are looked at for what is constant in them. */
const MAX_VARIANTS = 4;

interface Counted extends RecordedStatement {
  readonly statement: SqlNode;
}

/** What one source counted, with statements that are alike as one. */
export interface SourceStatements {
  readonly statements: readonly RecordedStatement[];
  /** Factor to the period of the workload. */
  readonly scale: number;
}

interface Shape {
  calls: number;
  totalMs: number;
  rows: number;
  readonly texts: Counted[];
}

/**
 * Joins what sources counted by fingerprint. Sources watch the same calls, so of several the one
 * that saw most of a statement counts; its text and parameters come from whoever knows them best.
 * Statements about nothing but the catalogs, and what has no plan, are left out.
 */
export async function mergeStatements(
  grammar: Grammar,
  sources: readonly SourceStatements[],
): Promise<readonly WorkloadStatement[]> {
  const turns = new Turns();
  const shapes = new Map<string, Shape[]>();
  for (const source of sources) {
    for (const [fingerprint, shape] of await shapesOf(grammar, source, turns)) {
      const others = shapes.get(fingerprint);
      if (others === undefined) shapes.set(fingerprint, [shape]);
      else others.push(shape);
    }
  }
  const statements: WorkloadStatement[] = [];
  for (const [fingerprint, seen] of shapes) {
    if (turns.isOver) await turns.giveWay();
    statements.push(merged(fingerprint, seen));
  }
  return statements.sort((a, b) => b.totalMs - a.totalMs || b.calls - a.calls);
}

/** Parses every text, which takes a quarter of a millisecond each. */
async function shapesOf(grammar: Grammar, { statements, scale }: SourceStatements, turns: Turns) {
  const shapes = new Map<string, Shape>();
  for (const recorded of statements) {
    if (turns.isOver) await turns.giveWay();
    const [statement, another] = grammar.parse(recorded.text) ?? [];
    if (statement === undefined || another !== undefined || !isAboutTables(statement)) continue;
    const fingerprint = grammar.fingerprint(recorded.text) ?? recorded.text;
    const shape = shapes.get(fingerprint) ?? { calls: 0, totalMs: 0, rows: 0, texts: [] };
    shapes.set(fingerprint, shape);
    shape.calls += recorded.calls * scale;
    shape.totalMs += recorded.totalMs * scale;
    shape.rows += (recorded.rows ?? 0) * scale;
    shape.texts.push({ ...recorded, statement });
  }
  return shapes;
}

function merged(fingerprint: string, seen: readonly Shape[]): WorkloadStatement {
  const most = seen.reduce((best, shape) => (shape.calls > best.calls ? shape : best));
  const rows = Math.max(...seen.map((shape) => shape.rows));
  const texts = seen.flatMap((shape) => shape.texts).toSorted((a, b) => clarity(b) - clarity(a));
  const [best] = texts;
  if (best === undefined) throw new Error('A shape without a text.');
  const parameters = parametersOf(best);
  const meanRows = rows / Math.max(1, most.calls);
  return {
    fingerprint,
    sql: parameters === undefined ? plannableText(best.text, best.statement, meanRows) : best.text,
    parameters,
    calls: most.calls,
    totalMs: most.totalMs,
    rows,
    variants: [...new Set(texts.map(({ text }) => text))]
      .filter((text) => text !== best.text)
      .slice(0, MAX_VARIANTS),
  };
}

/** Parameters that are known are best, then literals, then the more frequent. */
function clarity(counted: Counted): number {
  const placeholders = parameterCount(counted.statement);
  const known = parametersOf(counted) !== undefined || placeholders === 0;
  return (known ? 1e15 : 0) - placeholders * 1e12 + Math.min(counted.calls, 1e11);
}

function parametersOf({ statement, parameters }: Counted): readonly unknown[] | undefined {
  const count = parameterCount(statement);
  if (count === 0) return [];
  return parameters?.length === count ? parameters : undefined;
}

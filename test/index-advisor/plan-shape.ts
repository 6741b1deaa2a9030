import { type PlanNode } from '#libs/index-advisor';

/**
 * The steps of a plan and what they read, as text; indexes by the table they are on, as a real and
 * a hypothetical one have different names.
 */
export function planShape(node: PlanNode): string {
  const { nodeType, relation, index, joinType, strategy, scanDirection, children } = node;
  const details = [relation?.name, index && 'index', joinType, strategy, scanDirection]
    .filter((detail) => detail !== undefined)
    .join(' ');
  return `${nodeType} [${details}] (${children.map((child) => planShape(child)).join(', ')})`;
}

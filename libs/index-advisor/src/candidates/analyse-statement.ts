import type {
  DeleteStmt,
  InsertStmt,
  MergeStmt,
  RangeVar,
  ResTarget,
  UpdateStmt,
} from 'libpg-query';
import type { Table } from '../catalog/catalog.js';
import type { SqlNode } from '../workload/grammar.js';
import { nodesOf } from '../workload/grammar.js';
import { readConditions } from './conditions.js';
import type { RelationNames } from './relation-names.js';
import { type Scope } from './scope.js';
import { SelectReader } from './select-reader.js';
import type { TableUse, TableWrite } from './table-use.js';

/** What a statement reads and changes, and what is wanted of the rows. */
export interface StatementFacts {
  readonly uses: readonly TableUse[];
  readonly writes: readonly TableWrite[];
}

/** Finds the tables of a statement with their conditions, joins and orders, through subqueries. */
export function analyseStatement(
  statement: SqlNode,
  names: RelationNames,
  parameters?: readonly unknown[],
): StatementFacts {
  const reader = new SelectReader(names, parameters);
  if ('SelectStmt' in statement) reader.readResult(statement.SelectStmt);
  else readChange(statement, reader);
  return { uses: reader.uses, writes: writesOf(statement, names) };
}

function readChange(statement: SqlNode, reader: SelectReader): void {
  const scope = reader.scope();
  if ('InsertStmt' in statement) return readInsert(statement.InsertStmt, scope, reader);
  if ('UpdateStmt' in statement) return readUpdate(statement.UpdateStmt, scope, reader);
  if ('DeleteStmt' in statement) return readDelete(statement.DeleteStmt, scope, reader);
  if ('MergeStmt' in statement) readMerge(statement.MergeStmt, scope, reader);
}

function readInsert({ withClause, selectStmt }: InsertStmt, scope: Scope, reader: SelectReader) {
  reader.readWith(withClause, scope);
  if (selectStmt !== undefined && 'SelectStmt' in selectStmt) {
    reader.readResult(selectStmt.SelectStmt, scope);
  }
}

function readUpdate(update: UpdateStmt, scope: Scope, reader: SelectReader) {
  reader.readWith(update.withClause, scope);
  readTarget(update.relation, scope, reader);
  reader.readFrom(update.fromClause, scope);
  readConditions(update.whereClause, reader.conditionReader(scope));
  reader.mark([update.whereClause, ...(update.targetList ?? [])], scope);
}

function readDelete(deletion: DeleteStmt, scope: Scope, reader: SelectReader) {
  reader.readWith(deletion.withClause, scope);
  readTarget(deletion.relation, scope, reader);
  reader.readFrom(deletion.usingClause, scope);
  readConditions(deletion.whereClause, reader.conditionReader(scope));
  reader.mark([deletion.whereClause], scope);
}

function readMerge(merge: MergeStmt, scope: Scope, reader: SelectReader) {
  reader.readWith(merge.withClause, scope);
  readTarget(merge.relation, scope, reader);
  if (merge.sourceRelation !== undefined) reader.readFrom([merge.sourceRelation], scope);
  readConditions(merge.joinCondition, reader.conditionReader(scope));
  reader.mark([merge.joinCondition, ...(merge.mergeWhenClauses ?? [])], scope);
}

/** The table that is changed: whole rows of it are read. */
function readTarget(relation: RangeVar | undefined, scope: Scope, reader: SelectReader): void {
  if (relation === undefined) return;
  const first = reader.uses.length;
  reader.readFrom([{ RangeVar: relation }], scope);
  for (const use of reader.uses.slice(first)) {
    for (const { name } of use.table.columns) use.columns.add(name);
  }
}

/** What is written, in CTEs too. */
function writesOf(statement: SqlNode, names: RelationNames): readonly TableWrite[] {
  const write = (
    kind: TableWrite['kind'],
    relation: RangeVar | undefined,
    targets: readonly SqlNode[] = [],
  ): readonly TableWrite[] => {
    const table = tableOf(relation, names);
    return table === undefined ? [] : [{ kind, table, columns: targetNames(targets) }];
  };
  return [
    ...nodesOf(statement, 'InsertStmt').flatMap(({ relation }) => write('insert', relation)),
    ...nodesOf(statement, 'InsertStmt').flatMap(({ relation, onConflictClause }) =>
      onConflictClause?.action === 'ONCONFLICT_UPDATE'
        ? write('update', relation, onConflictClause.targetList)
        : [],
    ),
    ...nodesOf(statement, 'UpdateStmt').flatMap(({ relation, targetList }) =>
      write('update', relation, targetList),
    ),
    ...nodesOf(statement, 'DeleteStmt').flatMap(({ relation }) => write('delete', relation)),
    ...nodesOf(statement, 'MergeStmt').flatMap(({ relation, mergeWhenClauses }) =>
      nodesOf(mergeWhenClauses, 'MergeWhenClause').flatMap(({ commandType, targetList }) => {
        if (commandType === 'CMD_INSERT') return write('insert', relation);
        if (commandType === 'CMD_UPDATE') return write('update', relation, targetList);
        return commandType === 'CMD_DELETE' ? write('delete', relation) : [];
      }),
    ),
  ];
}

function tableOf(relation: RangeVar | undefined, names: RelationNames): Table | undefined {
  const found = relation === undefined ? undefined : names.find(relation);
  return found?.kind === 'table' ? found.table : undefined;
}

function targetNames(targets: readonly SqlNode[]): readonly string[] {
  const named = targets.flatMap((node): ResTarget[] =>
    'ResTarget' in node ? [node.ResTarget] : [],
  );
  return named.map(({ name = '' }) => name);
}

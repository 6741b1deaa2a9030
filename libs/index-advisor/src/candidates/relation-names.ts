import type { SelectStmt } from 'libpg-query';
import type { Catalog, Table, View } from '../catalog/catalog.js';
import type { Grammar } from '../workload/grammar.js';

/** What a name in a FROM clause stands for. */
export type NamedRelation =
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'view'; readonly view: View; readonly query: SelectStmt };

interface RelationName {
  readonly schemaname?: string;
  readonly relname?: string;
}

/** Finds relations by name, as the session that read the catalog would. */
export class RelationNames {
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #views: ReadonlyMap<string, View>;
  readonly #queries = new Map<View, SelectStmt | undefined>();
  readonly #searchPath: readonly string[];

  constructor(
    catalog: Pick<Catalog, 'tables' | 'views' | 'server'>,
    private readonly grammar: Grammar,
  ) {
    this.#tables = new Map(catalog.tables.map((table) => [keyOf(table.schema, table.name), table]));
    this.#views = new Map(catalog.views.map((view) => [keyOf(view.schema, view.name), view]));
    const { settings, role } = catalog.server;
    this.#searchPath = schemasOf(settings.get('search_path') ?? 'public', role);
  }

  find({ schemaname, relname = '' }: RelationName): NamedRelation | undefined {
    const schemas = schemaname === undefined ? this.#searchPath : [schemaname];
    for (const schema of schemas) {
      const table = this.#tables.get(keyOf(schema, relname));
      if (table !== undefined) return { kind: 'table', table };
      const view = this.#views.get(keyOf(schema, relname));
      const query = view === undefined ? undefined : this.#queryOf(view);
      if (view !== undefined && query !== undefined) return { kind: 'view', view, query };
    }
    return undefined;
  }

  #queryOf(view: View): SelectStmt | undefined {
    if (!this.#queries.has(view)) {
      const [statement] = this.grammar.parse(view.definition) ?? [];
      const body = statement !== undefined && 'ViewStmt' in statement ? statement.ViewStmt : {};
      const { query } = body;
      this.#queries.set(
        view,
        query !== undefined && 'SelectStmt' in query ? query.SelectStmt : undefined,
      );
    }
    return this.#queries.get(view);
  }
}

function keyOf(schema: string, name: string): string {
  return JSON.stringify([schema, name]);
}

/** The schemas of a search_path; names in quotes keep their case, others are lower case. */
function schemasOf(searchPath: string, role: string): readonly string[] {
  const names = searchPath.match(/"(?:[^"]|"")*"|[^\s,"]+/g) ?? [];
  return names
    .map((name) =>
      name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase(),
    )
    .map((name) => (name === '$user' ? role : name));
}

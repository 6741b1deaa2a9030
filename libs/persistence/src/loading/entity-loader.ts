import DataLoader from 'dataloader';
import { currentContext, type RequestContext } from '#libs/logging';
import type { DataSource, EntityTarget, ObjectLiteral } from 'typeorm';

/** Rows that one query asks for at most. */
const MAX_BATCH = 1_000;

type Loader = DataLoader<unknown, readonly ObjectLiteral[], string>;

/**
 * Joins the single reads of one tick into one query: a loop that loads the author of each book asks
 * the database once. Within a request a row is read once, until `clear` or the end of the request;
 * outside of requests nothing is remembered.
 */
export class EntityLoader {
  private readonly requests = new WeakMap<RequestContext, Map<string, Loader>>();
  /** For the callers of this tick that are in no request. */
  private shared = new Map<string, Loader>();

  constructor(private readonly dataSource: DataSource) {}

  /** The row whose `property` (default: the primary key) is `value`, or null. */
  async load<Row extends ObjectLiteral>(
    entity: EntityTarget<Row>,
    value: unknown,
    property?: keyof Row & string,
  ): Promise<Row | null> {
    const [row] = await this.loadAll(entity, value, property);
    return row ?? null;
  }

  /** Every row whose `property` (default: the primary key) is `value`. */
  async loadAll<Row extends ObjectLiteral>(
    entity: EntityTarget<Row>,
    value: unknown,
    property?: keyof Row & string,
  ): Promise<readonly Row[]> {
    const name = property ?? this.primaryKeyOf(entity);
    const rows = await this.loaderOf(entity, name).load(value);
    return rows as readonly Row[];
  }

  /** Forgets what the current request has read, for instance after it has written. */
  clear(): void {
    const context = currentContext();
    if (context !== undefined) this.requests.delete(context);
  }

  private loaderOf(entity: EntityTarget<ObjectLiteral>, property: string): Loader {
    const loaders = this.loaders();
    const key = `${this.dataSource.getMetadata(entity).tablePath}.${property}`;
    let loader = loaders.get(key);
    if (loader === undefined) {
      loader = new DataLoader((values) => this.read(entity, property, values), {
        maxBatchSize: MAX_BATCH,
        cacheKeyFn: String,
      });
      loaders.set(key, loader);
    }
    return loader;
  }

  private loaders(): Map<string, Loader> {
    const context = currentContext();
    if (context === undefined) {
      const { shared } = this;
      if (shared.size === 0) setImmediate(() => (this.shared = new Map()));
      return shared;
    }
    let loaders = this.requests.get(context);
    if (loaders === undefined) {
      loaders = new Map();
      this.requests.set(context, loaders);
    }
    return loaders;
  }

  private async read(
    entity: EntityTarget<ObjectLiteral>,
    property: string,
    values: readonly unknown[],
  ): Promise<ObjectLiteral[][]> {
    const rows = await this.dataSource
      .getRepository(entity)
      .createQueryBuilder('row')
      .where(`row.${property} = ANY(:values)`, { values })
      .getMany();
    const byValue = new Map<string, ObjectLiteral[]>();
    for (const row of rows) {
      const value = String(row[property]);
      const known = byValue.get(value);
      if (known === undefined) byValue.set(value, [row]);
      else known.push(row);
    }
    return values.map((value) => byValue.get(String(value)) ?? []);
  }

  private primaryKeyOf(entity: EntityTarget<ObjectLiteral>): string {
    const { primaryColumns, name } = this.dataSource.getMetadata(entity);
    const [column, other] = primaryColumns;
    if (column === undefined || other !== undefined) {
      throw new TypeError(
        `${name} has no primary key of one column: name the property to load by.`,
      );
    }
    return column.propertyName;
  }
}

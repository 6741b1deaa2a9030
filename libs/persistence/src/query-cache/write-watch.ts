import {
  type StatementCall,
  type StatementEnd,
  StatementObserver,
} from '../statements/statement-observer.js';
import { tablesWritten } from './query-text.js';

const END = /^\s*(?:commit|end)\b/i;
const UNDO = /^\s*(?:rollback(?!\s+to\b)|abort)\b/i;
const MAYBE_WRITES = /\b(?:insert|update|delete|merge|truncate|copy)\b/i;
const DDL = /^\s*(?:create|alter|drop)\b/i;

/**
 * Learns of each table that is written to, and tells it when the write can be seen by others: at
 * once outside a transaction, else with its commit, whose answer waits until everybody knows.
 */
export class WriteWatch extends StatementObserver {
  /** Tables written in the open transaction of a connection. */
  private readonly open = new WeakMap<object, Set<string>>();

  constructor(
    private readonly onWritten: (tables: readonly string[]) => Promise<void>,
    private readonly onSchemaChanged: () => void,
    private readonly isOn: () => boolean,
  ) {
    super();
  }

  started({ text, connection, transactionStatus }: StatementCall): StatementEnd | undefined {
    if (!this.isOn()) return undefined;
    if (DDL.test(text)) return () => this.onSchemaChanged();
    if (MAYBE_WRITES.test(text)) {
      const tables = tablesWritten(text);
      if (tables.length === 0) return undefined;
      if (transactionStatus !== 'T') return () => this.onWritten(tables);
      const written = this.open.get(connection) ?? new Set();
      for (const table of tables) written.add(table);
      this.open.set(connection, written);
      return undefined;
    }
    if (UNDO.test(text)) this.open.delete(connection);
    else if (END.test(text)) {
      const written = this.open.get(connection);
      if (written === undefined) return undefined;
      this.open.delete(connection);
      // Also when the commit fails: it may have taken place though its answer was lost.
      return () => this.onWritten([...written]);
    }
    return undefined;
  }
}

import { Injectable } from '@nestjs/common';
import { QueryInsights, type QueryReport } from '#libs/persistence';
import { type RecordedStatement, type RecordedWorkload, WorkloadSource } from './workload.js';

/** What the recorder shows of a value as it is: numbers, truth values, times and UUIDs. */
const SHOWN = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z|-?\d+)$/i;

/** The statements that the recorder of this process counted. */
@Injectable()
export class RecorderWorkloadSource extends WorkloadSource {
  constructor(private readonly insights: QueryInsights) {
    super();
  }

  async read(): Promise<RecordedWorkload> {
    const queries = await this.insights.queries();
    return { statements: queries.map((query) => statementOf(query)), since: undefined };
  }
}

function statementOf({ query, calls, totalMs, rows, worst }: QueryReport): RecordedStatement {
  const isShown = worst?.parameters.every(
    (value) => typeof value !== 'string' || SHOWN.test(value),
  );
  const parameters = isShown === true ? worst?.parameters : undefined;
  return { text: query, calls, totalMs, rows, parameters };
}

import { PantheonError, type Principal } from '#libs/core';
import type { CompileReport } from '../port/compile-report.js';
import type { Message } from '../port/context-port.js';
import type { CompileService } from '../services/compile.service.js';
import type { CompileRequest } from '../services/compile.types.js';

/** What became of one request of a batch: a context, or why there is none. */
export type CompileBatchItem =
  | {
      readonly status: 'ok';
      readonly messages: readonly Message[];
      readonly report: CompileReport;
    }
  | {
      readonly status: 'failed';
      readonly error: { readonly code: string; readonly detail: string };
    };

/** Failures that belong to one request of a batch; any other one fails the batch. */
const OF_ONE_REQUEST: ReadonlySet<string> = new Set([
  'invalid',
  'forbidden',
  'not-found',
  'too-large',
  'unprocessable',
]);

/** Compiles several contexts, `parallel` at once. The items stand in the order of the requests. */
export async function compileBatch(
  compiler: Pick<CompileService, 'compile'>,
  principal: Principal,
  requests: readonly CompileRequest[],
  parallel: number,
): Promise<CompileBatchItem[]> {
  const items: CompileBatchItem[] = [];
  const queue = requests.entries();
  const work = async (): Promise<void> => {
    // One iterator serves all workers, so each request is taken once.
    for (const [index, request] of queue) {
      items[index] = await compileOne(compiler, principal, request);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, requests.length) }, work));
  return items;
}

async function compileOne(
  compiler: Pick<CompileService, 'compile'>,
  principal: Principal,
  request: CompileRequest,
): Promise<CompileBatchItem> {
  try {
    const { messages, report } = await compiler.compile(principal, request);
    return { status: 'ok', messages, report };
  } catch (error) {
    if (!(error instanceof PantheonError) || !OF_ONE_REQUEST.has(error.kind)) throw error;
    return { status: 'failed', error: { code: error.code, detail: error.message } };
  }
}

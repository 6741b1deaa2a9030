/**
 * The program of the thread that runs PGlite: it holds the event loop of that thread alone, and
 * the memory of WebAssembly goes back when the thread ends. It is text, because a thread needs a
 * file of its own, and there is none that is the same in tests, in dist/ and in a bundle.
 *
 * A message holds steps that run in order, to the first that fails or all of them (`attempt`), or a
 * script of statements without parameters, and what to run when it fails.
 */
export const WORKER_PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const reasonOf = (error) => ({ message: error.message, code: error.code });

async function open() {
  const { PGlite } = await import(workerData.module);
  const extensions = {};
  for (const [name, { module, exported }] of Object.entries(workerData.extensions)) {
    extensions[name] = (await import(module))[exported];
  }
  return PGlite.create({ ...workerData.options, extensions });
}

async function runSteps(database, { steps, attempt }) {
  const results = [];
  for (const { sql, parameters } of steps) {
    try {
      results.push({ rows: (await database.query(sql, parameters)).rows });
    } catch (error) {
      results.push({ error: reasonOf(error) });
      if (!attempt) break;
    }
  }
  return results;
}

async function runScript(database, { script, recovery }) {
  try {
    return (await database.exec(script)).map(({ rows }) => ({ rows }));
  } catch (error) {
    await database.exec(recovery);
    return [{ error: reasonOf(error) }];
  }
}

async function answer(database, message) {
  if (message.close) await database.close();
  else if (message.script === undefined) return runSteps(database, message);
  else return runScript(database, message);
  return [];
}

const opened = open();
let last = opened;
opened.then(
  () => parentPort.postMessage({ id: 0 }),
  (error) => parentPort.postMessage({ id: 0, failure: reasonOf(error) }),
);
parentPort.on('message', (message) => {
  last = last
    .then(async () => {
      const results = await answer(await opened, message);
      parentPort.postMessage({ id: message.id, results });
    })
    .catch((error) => parentPort.postMessage({ id: message.id, failure: reasonOf(error) }));
});
`;

/** A statement to run, with its parameters as PGlite takes them. */
export interface Step {
  readonly sql: string;
  readonly parameters?: readonly unknown[];
}

export interface Reason {
  readonly message: string;
  readonly code?: string;
}

/** What became of a step. */
export type StepResult = { readonly rows: readonly object[] } | { readonly error: Reason };

/** What the thread answers; 0 is the id of its start. */
export interface WorkerAnswer {
  readonly id: number;
  readonly results?: readonly StepResult[];
  readonly failure?: Reason;
}

import { parentPort } from 'node:worker_threads';
import type { CpuTaskModule } from './cpu-task.js';
import type { DoneMessage, Failure, WorkMessage } from './thread.messages.js';

/** The program of the threads of the pool: loads the modules of tasks as they come, and runs them. */
type AnyModule = CpuTaskModule<unknown, unknown>;

const modules = new Map<string, Promise<AnyModule>>();

function load(url: string): Promise<AnyModule> {
  let module = modules.get(url);
  if (module === undefined) {
    module = import(url) as Promise<AnyModule>;
    modules.set(url, module);
  }
  return module;
}

function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Error) {
    return { name: thrown.name, message: thrown.message, stack: thrown.stack };
  }
  return { name: 'Error', message: String(thrown), stack: undefined };
}

async function work({ moduleUrl, input }: WorkMessage): Promise<void> {
  let startedMs = performance.now();
  const runMs = (): number => performance.now() - startedMs;
  try {
    const { run, transferOf } = await load(moduleUrl);
    startedMs = performance.now();
    const output = await run(input);
    const transfer = [...(transferOf?.(output) ?? [])];
    parentPort?.postMessage({ output, runMs: runMs() } satisfies DoneMessage, transfer);
  } catch (error) {
    const failure = failureOf(error);
    parentPort?.postMessage({ failure, runMs: runMs() } satisfies DoneMessage);
  }
}

parentPort?.on('message', (message: WorkMessage) => void work(message));

import { fileURLToPath } from 'node:url';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { NodeSettings } from './connect-node.js';
import type { Command } from './node.program.js';

const ROOT = new URL('../../../', import.meta.url);

/** A node in a process of its own. */
export class NodeProcess {
  private constructor(private readonly child: ChildProcess) {}

  static async start(settings: NodeSettings): Promise<NodeProcess> {
    const child = fork(fileURLToPath(new URL('test/cache/support/node.program.ts', ROOT)), {
      cwd: fileURLToPath(ROOT),
      env: { PATH: process.env['PATH'] ?? '', CACHE_NODE: JSON.stringify(settings) },
      execArgv: [`--import=${new URL('test/start/support/register-typescript.mjs', ROOT).href}`],
    });
    const node = new NodeProcess(child);
    await node.answer();
    return node;
  }

  async ask<Result>(command: Command): Promise<Result> {
    this.child.send(command);
    return (await this.answer()) as Result;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }

  private async answer(): Promise<unknown> {
    const ended = once(this.child, 'exit').then(([code]) => {
      throw new Error(`the node ended with ${code}`);
    });
    const [message] = await Promise.race([once(this.child, 'message'), ended]);
    const { result, error } = message as { result: unknown; error?: string };
    if (error !== undefined) throw new Error(error);
    return result;
  }
}

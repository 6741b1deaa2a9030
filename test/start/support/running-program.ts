import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program under test, with everything it has printed. */
export class RunningProgram {
  readonly lines: string[] = [];
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  private readonly onLine = new Set<() => void>();

  private constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line);
        for (const listener of this.onLine) listener();
      });
    }
    this.ended = once(child, 'close').then(([code, signal]) => {
      for (const listener of this.onLine) listener();
      return { code: code as number | null, signal: signal as string | null };
    });
  }

  static run(program: string, args: readonly string[], options: SpawnOptions): RunningProgram {
    return new RunningProgram(spawn(program, args, { ...options, stdio: 'pipe' }));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get output(): string {
    return this.lines.join('\n');
  }

  /** Resolves with the first line that matches; rejects when the program ends without one. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        await this.ended;
        const last = this.lines.find((line) => pattern.test(line));
        if (last !== undefined) return last;
        throw new Error(`The program ended without a line like ${pattern}:\n${this.output}`);
      }
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.onLine.delete(listener);
          resolve();
        };
        this.onLine.add(listener);
      });
    }
  }

  say(text: string): void {
    this.child.stdin?.write(`${text}\n`);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

/** The built command; `npm test` builds before it tests. */
const PROGRAM = resolve('dist/bin/cli.js');

export interface CommandResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly pid: number;
  readonly result: Promise<CommandResult>;
  kill(signal: NodeJS.Signals): void;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the real command as a process of its own, with no settings but those given. */
export function startPantheon(
  args: readonly string[],
  { cwd, env = {} }: CommandOptions,
): RunningCommand {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const result = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout,
    stderr,
  }));
  return {
    pid: child.pid ?? 0,
    result,
    kill: (signal) => void child.kill(signal),
  };
}

/** Runs the real command to its end. */
export function pantheon(args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return startPantheon(args, options).result;
}

/** Runs the command with `--json`, expects it to succeed and returns what it says. */
export async function pantheonJson<Answer>(
  args: readonly string[],
  options: CommandOptions,
): Promise<Answer> {
  const { code, stdout, stderr } = await pantheon([...args, '--json'], options);
  if (code !== 0) throw new Error(`pantheon ${args.join(' ')} exited ${code}: ${stderr}`);
  return JSON.parse(stdout) as Answer;
}

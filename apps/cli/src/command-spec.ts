import type { Writable } from 'node:stream';
import type { ExitCode } from './exit-code.js';

/** The world as a command sees it; tests give it another. */
export interface CommandIo {
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts on Ctrl-C and SIGTERM; a command then stops at the next safe point. */
  readonly signal: AbortSignal;
  /** Whether the caller asked for JSON: then nothing but the outcome goes to stdout. */
  readonly json: boolean;
}

/** What a command has to say when it is done. */
export interface Outcome {
  /** For `--json`: printed as one line. */
  readonly data: unknown;
  /** For people; ends without a newline. */
  readonly text: string;
  /** Default: `ExitCode.ok`. */
  readonly exitCode?: ExitCode;
}

/** The work of a command. `options` is what the command line says, not yet validated. */
export type RunCommand = (
  options: Readonly<Record<string, unknown>>,
  io: CommandIo,
) => Promise<Outcome>;

export interface OptionSpec {
  /** As commander writes them: `--source <name>`. */
  readonly flags: string;
  readonly description: string;
}

/** A row of the command table: everything that help needs, and where the work is. */
export interface CommandSpec {
  /** One word, or two for a command in a group (`config check`). */
  readonly name: string;
  readonly summary: string;
  /** More for the command's own help, below the summary. */
  readonly details?: string;
  readonly options: readonly OptionSpec[];
  readonly examples: readonly { readonly line: string; readonly does: string }[];
  /** Loads the work. Only a command that runs is loaded, so help stays instant. */
  readonly load: () => Promise<RunCommand>;
}

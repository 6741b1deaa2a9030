import { Command, CommanderError } from 'commander';
import { commandTable } from './command-table.js';
import type { CommandIo, CommandSpec, Outcome } from './command-spec.js';
import { ExitCode } from './exit-code.js';

/** The part of the world that the command line does not decide. */
export type CliIo = Omit<CommandIo, 'json'>;

/**
 * Runs one command line (without `node` and the script) and prints its outcome.
 * @returns the exit code; never throws
 */
export async function runCli(
  args: readonly string[],
  io: CliIo,
  table: readonly CommandSpec[] = commandTable,
): Promise<ExitCode> {
  const json = args.includes('--json');
  let exitCode: ExitCode = ExitCode.ok;
  const program = buildProgram(table, io, async (spec, options) => {
    const run = await spec.load();
    const outcome = await run(options, { ...io, json });
    print(outcome, json, io);
    exitCode = outcome.exitCode ?? ExitCode.ok;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has said what is wrong by then; help and version are no errors.
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? ExitCode.ok : ExitCode.userError;
    }
    const { reportError } = await import('./report-error.js');
    return reportError(error, io, json);
  }
}

type Action = (spec: CommandSpec, options: Readonly<Record<string, unknown>>) => Promise<void>;

function buildProgram(table: readonly CommandSpec[], io: CliIo, action: Action): Command {
  const program = configured(new Command('pantheon'), io)
    .description('Commands around the Pantheon backend.')
    .addHelpText('after', '\n"pantheon <command> --help" shows options and examples.');
  const groups = new Map<string, Command>();
  for (const spec of table) {
    const [first = '', second] = spec.name.split(' ');
    if (second === undefined) {
      addCommand(program, first, spec, io, action);
      continue;
    }
    let group = groups.get(first);
    if (group === undefined) {
      const members = table.filter(({ name }) => name.startsWith(`${first} `));
      group = configured(program.command(first), io).description(
        members.map(({ name }) => name.slice(first.length + 1)).join(', '),
      );
      groups.set(first, group);
    }
    addCommand(group, second, spec, io, action);
  }
  return program;
}

function addCommand(
  parent: Command,
  word: string,
  spec: CommandSpec,
  io: CliIo,
  action: Action,
): void {
  const command = configured(parent.command(word), io).summary(spec.summary);
  command.description(`${capitalise(spec.summary)}.${spec.details ? `\n\n${spec.details}` : ''}`);
  for (const { flags, description } of spec.options) command.option(flags, description);
  command.option('--json', 'print the outcome as one line of JSON');
  const examples = spec.examples.map(({ line, does }) => `  ${line}\n      ${does}`);
  command.addHelpText('after', `\nExamples:\n${examples.join('\n')}`);
  command.allowExcessArguments(false);
  command.action(() => action(spec, command.opts()));
}

function configured(command: Command, io: CliIo): Command {
  return command
    .exitOverride()
    .showSuggestionAfterError()
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    });
}

function print(outcome: Outcome, json: boolean, io: CliIo): void {
  io.stdout.write(`${json ? JSON.stringify(outcome.data) : outcome.text}\n`);
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

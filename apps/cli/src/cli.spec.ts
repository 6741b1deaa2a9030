import { describe, expect, it, jest } from '@jest/globals';
import { PantheonError } from '#libs/core';
import { runCli } from './cli.js';
import type { CommandSpec, RunCommand } from './command-spec.js';
import { commandTable } from './command-table.js';
import { ExitCode } from './exit-code.js';
import { recordingIo } from './testing/recording-io.js';

const work = (run: RunCommand): readonly CommandSpec[] => [
  {
    name: 'group work',
    summary: 'do the work',
    options: [{ flags: '--count <number>', description: 'how many' }],
    examples: [{ line: 'pantheon group work --count 2', does: 'two of them' }],
    load: () => Promise.resolve(run),
  },
];

describe('the command line', () => {
  it('shows options and examples in the help of every command', async () => {
    for (const spec of commandTable) {
      const io = recordingIo();
      expect(await runCli([...spec.name.split(' '), '--help'], io)).toBe(ExitCode.ok);
      expect(io.out).toContain(spec.examples[0]?.line);
      for (const { flags } of spec.options) expect(io.out).toContain(flags);
      expect(io.out).toContain('--json');
    }
  });

  it('lists every command without loading one', async () => {
    const load = jest.fn<CommandSpec['load']>();
    const io = recordingIo();
    const table = commandTable.map((spec) => Object.assign(Object.create(spec), { load }));
    expect(await runCli(['--help'], io, table)).toBe(ExitCode.ok);
    expect(io.out).toContain('ingest');
    expect(io.out).toContain('migrate');
    expect(load).not.toHaveBeenCalled();
  });

  it('prints the text of an outcome for people and its data for machines', async () => {
    const table = work(({ count }) =>
      Promise.resolve({ data: { count }, text: `did ${String(count)}` }),
    );
    const human = recordingIo();
    expect(await runCli(['group', 'work', '--count', '2'], human, table)).toBe(ExitCode.ok);
    expect(human.out).toBe('did 2\n');
    const machine = recordingIo();
    await runCli(['group', 'work', '--count', '2', '--json'], machine, table);
    expect(JSON.parse(machine.out)).toEqual({ count: '2' });
  });

  it('answers an unknown command and an unknown option with exit code 1 and a suggestion', async () => {
    const io = recordingIo();
    expect(await runCli(['ingst'], io)).toBe(ExitCode.userError);
    expect(io.err).toContain('ingest');
    expect(await runCli(['ingest', '--gob', 'x'], io)).toBe(ExitCode.userError);
    expect(io.err).toContain('--glob');
    expect(io.out).toBe('');
  });

  it('reports a fault of the user with its path, reason and code, and exit code 1', async () => {
    const fault = { path: '--count', code: 'TOO_SMALL', message: 'must be at least 1' };
    const error = new PantheonError('ARGUMENTS_INVALID', 'No.', {
      kind: 'invalid',
      faults: [fault],
    });
    const table = work(() => Promise.reject(error));
    const human = recordingIo();
    expect(await runCli(['group', 'work'], human, table)).toBe(ExitCode.userError);
    expect(human.err).toBe('Error: No. (ARGUMENTS_INVALID)\n  --count: must be at least 1\n');
    const machine = recordingIo();
    await runCli(['group', 'work', '--json'], machine, table);
    expect(JSON.parse(machine.err)).toEqual({
      error: { code: 'ARGUMENTS_INVALID', message: 'No.', faults: [fault] },
    });
    expect(machine.out).toBe('');
  });

  it('tells a database that cannot be reached from a defect', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), {
      code: 'ECONNREFUSED',
    });
    const io = recordingIo();
    expect(
      await runCli(
        ['group', 'work'],
        io,
        work(() => Promise.reject(refused)),
      ),
    ).toBe(ExitCode.unavailable);
    expect(io.err).toContain('DATABASE_UNAVAILABLE');
    expect(io.err).not.toContain('    at ');
    const defect = recordingIo();
    expect(
      await runCli(
        ['group', 'work'],
        defect,
        work(() => Promise.reject(new TypeError('oops'))),
      ),
    ).toBe(ExitCode.internal);
    expect(defect.err).toContain('TypeError: oops');
  });

  it('exits as shells expect when a signal ended the command', async () => {
    const stop = new AbortController();
    const io = recordingIo({ signal: stop.signal });
    stop.abort('SIGTERM');
    const aborted = Object.assign(new Error('aborted'), { name: 'AbortError' });
    expect(
      await runCli(
        ['group', 'work'],
        io,
        work(() => Promise.reject(aborted)),
      ),
    ).toBe(ExitCode.terminated);
  });
});

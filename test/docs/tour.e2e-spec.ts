import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/redis-server.js';
import { matchesShown } from './expected-output.js';
import { type Block, fencedBlocks } from './markdown.js';

const HEADING = 'A tour of five minutes';
/** The one place where the tour is not run as it stands: where the server is, and its password. */
const VARIABLES = /^export PANTHEON=.*\nexport PASSWORD=.*$/m;

const blocks = fencedBlocks(await readFile('README.md', 'utf8')).filter(
  ({ heading }) => heading === HEADING,
);
const [start, banner, ...tour] = blocks;

describe('the tour of the README', () => {
  let folder: string;
  let port: number;
  let server: ChildProcess;
  let printed: string;
  let outputs: ReadonlyMap<Block, string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pantheon-tour-'));
    // When root runs the tests, the user that runs PostgreSQL has to pass through.
    await chmod(folder, 0o711);
    port = await freePort();
    server = shell(start?.text ?? '');
    printed = await readUntil(server, /^ {2}Password .*\n/m);
    outputs = await runTour(/^ {2}Password +(\S+)$/m.exec(printed)?.[1] ?? '');
  }, 180_000);

  afterAll(async () => {
    if (server.exitCode === null) process.kill(-(server.pid ?? 0), 'SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }, 30_000);

  it('starts the server with what the README shows', () => {
    expect(start?.text).toBe('npm start');
    expectShown(banner, printed);
  });

  const answers = tour.flatMap((block, index) => {
    const command = tour[index - 1];
    return block.language === 'text' && command !== undefined ? [{ command, block }] : [];
  });

  it('has an answer for each step that prints something', () => {
    const commands = new Set(answers.map(({ command }) => command));
    const silent = tour.filter(({ language }) => language === 'sh');
    expect(answers.length).toBeGreaterThan(3);
    for (const block of silent.filter((one) => !commands.has(one))) {
      expect({ [block.line]: outputs.get(block) }).toEqual({ [block.line]: '' });
    }
  });

  it.each(answers)('answers line $command.line as line $block.line shows', ({ command, block }) => {
    expectShown(block, outputs.get(command) ?? '');
  });

  it('ends at Ctrl-C and leaves nothing behind', async () => {
    const ended = once(server, 'close');
    // A terminal sends the signal to every process of the group.
    process.kill(-(server.pid ?? 0), 'SIGINT');
    await ended;
    expect(() => process.kill(-(server.pid ?? 0), 0)).toThrow('ESRCH');
  }, 30_000);

  function shell(script: string): ChildProcess {
    return spawn('bash', ['-c', script], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NODE_ENV: '',
        NODE_OPTIONS: '',
        DATABASE_URL: '',
        REDIS_URL: '',
        PORT: String(port),
        PANTHEON_DATA_DIR: folder,
        PANTHEON_LOGGING_LEVELS: '{"default":"warn"}',
      },
    });
  }

  /** Runs every step in one shell, as a person does, and gives what each has printed. */
  async function runTour(password: string): Promise<ReadonlyMap<Block, string>> {
    const steps = tour.filter(({ language }) => language === 'sh');
    const separator = `--- ${crypto.randomUUID()}`;
    const script = steps
      .map(({ text }) => `${text}\necho; echo '${separator}'`)
      .join('\n')
      .replace(
        VARIABLES,
        `export PANTHEON=http://127.0.0.1:${port}\nexport PASSWORD='${password}'`,
      );
    const child = shell(`set -euo pipefail\n${script}`);
    const said = collect(child);
    await once(child, 'close');
    const parts = said.stdout().split(`\n${separator}\n`);
    if (parts.length <= steps.length) {
      throw new Error(`the tour ended early:\n${said.stdout()}\n${said.stderr()}`);
    }
    return new Map(steps.map((step, index) => [step, (parts[index] ?? '').trim()]));
  }

  function expectShown(block: Block | undefined, output: string): void {
    const seen = output.replaceAll(`127.0.0.1:${port}`, '127.0.0.1:3000').trim();
    if (block === undefined) throw new Error('the README shows nothing here');
    if (!matchesShown(block.text, seen)) expect(seen).toBe(block.text);
  }
});

function collect(child: ChildProcess): { stdout: () => string; stderr: () => string } {
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return { stdout: () => stdout, stderr: () => stderr };
}

async function readUntil(child: ChildProcess, pattern: RegExp): Promise<string> {
  const said = collect(child);
  while (!pattern.test(said.stdout())) {
    if (child.exitCode !== null) throw new Error(`it ended: ${said.stdout()}${said.stderr()}`);
    await sleep(50);
  }
  return said.stdout();
}

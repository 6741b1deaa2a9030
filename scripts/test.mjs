import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const HELP = `Runs everything: check (format, lint, types, dead code), build, and the unit, integration and
end-to-end tests on real PostgreSQL and Redis. The last line is "N passed, N failed".

  npm test                          everything
  npm test -- libs/cache            only tests whose path matches
  npm test -- --selectProjects unit one size of tests (unit, integration, e2e)

Redis: REDIS_URL, else redis-server or valkey-server on the PATH, else installed by apt (Debian, root).`;

const args = process.argv.slice(2);
if (args.includes('--help')) {
  console.log(HELP);
  process.exit(0);
}

const counts = { passed: 0, failed: 0 };
if (args.length === 0) {
  const check = await run(process.execPath, ['scripts/check.mjs']);
  const [, passed, failed] = /(\d+) passed, (\d+) failed\s*$/.exec(check.output) ?? [0, 0, 1];
  counts.passed += Number(passed);
  counts.failed += Number(failed);
}
const build = await run(process.execPath, ['scripts/build.mjs']);
if (build.code === 0) await runJest();
else counts.failed += 1;
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;

async function runJest() {
  const folder = await mkdtemp(join(tmpdir(), 'pantheon-test-'));
  const outputFile = join(folder, 'jest.json');
  try {
    const { code } = await run(process.execPath, [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      '--json',
      `--outputFile=${outputFile}`,
      ...args,
    ]);
    const report = JSON.parse(await readFile(outputFile, 'utf8').catch(() => '{}'));
    const notRun = (report.numRuntimeErrorTestSuites ?? 0) + (report.numPendingTests ?? 0);
    const failed = (report.numFailedTests ?? 0) + notRun;
    counts.passed += report.numPassedTests ?? 0;
    // Jest can fail as a whole, in its set-up for one, and then counts nothing.
    counts.failed += failed === 0 && code !== 0 ? 1 : failed;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a program, shows what it prints as it comes, except Jest's JSON, and returns it. */
function run(program, programArgs) {
  return new Promise((resolve) => {
    const isJest = programArgs.includes('--json');
    const child = spawn(program, programArgs, {
      stdio: ['ignore', isJest ? 'ignore' : 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
      process.stdout.write(chunk);
    });
    child.on('close', (code) => resolve({ code, output }));
  });
}

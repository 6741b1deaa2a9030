import { spawn } from 'node:child_process';

/** Everything that can be said of the code without running it. Prints one line a step. */
const steps = [
  ['format', 'prettier', ['--check', '--log-level', 'warn', '.']],
  ['lint', 'oxlint', ['--type-aware', '--deny-warnings']],
  ['types', 'tsc', ['-p', 'tsconfig.json']],
  ['dead code', 'knip', []],
];

const passed = [];
const failed = [];
for (const [name, program, args] of steps) {
  const startedAtMs = performance.now();
  const { code, output } = await run(program, args);
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  (code === 0 ? passed : failed).push(name);
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(10)} ${seconds} s`);
  if (code !== 0) console.log(output);
}
console.log(`check: ${passed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;

function run(program, args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [`node_modules/.bin/${program}`, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (output += chunk));
    child.on('close', (code) => resolve({ code, output }));
  });
}

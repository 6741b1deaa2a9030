// `npm run dev`: the compiler watches the sources, and the API starts again when dist changes.
// Each start finds the embedded database as the last one left it.
import './lib/node-version.mjs';
import { spawn } from 'node:child_process';
import { COMPILER, ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { inProject, root } from './lib/project.mjs';

ensureInstalled();
ensureBuilt();

const run = (...args) => spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
const children = [
  run(COMPILER, '-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'),
  run(
    '--watch-path=dist',
    '--watch-preserve-output',
    '--enable-source-maps',
    inProject('dist/apps/api/src/main.js'),
  ),
];

// Ctrl-C reaches the children too, and a signal sent to us alone is passed on: either way we stay
// until both have ended, the API with everything it drains.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    for (const child of children) child.kill(signal);
  });
}

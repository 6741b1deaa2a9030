// `node scripts/bench.mjs <name> <arguments>`: a program of bench/, built first when sources changed.
import './lib/node-version.mjs';
import { ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { runBuilt } from './lib/project.mjs';

ensureInstalled();
ensureBuilt();
const [name] = process.argv.splice(2, 1);
await runBuilt(`dist/bench/${name}.js`);

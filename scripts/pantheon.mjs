// `npm run pantheon -- <arguments>`: the command line, built first when sources changed.
import './lib/node-version.mjs';
import { ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { runBuilt } from './lib/project.mjs';

ensureInstalled();
ensureBuilt();
await runBuilt('dist/bin/cli.js');

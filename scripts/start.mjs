// `npm start`: installs and builds when needed, then becomes the API in this same process, so
// that signals reach it directly.
import './lib/node-version.mjs';
import { ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { root, runBuilt } from './lib/project.mjs';

ensureInstalled();
ensureBuilt();
process.chdir(root);
await runBuilt('dist/bin/api.js');

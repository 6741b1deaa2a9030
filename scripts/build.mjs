// `npm run build`: compiles into dist what changed since the last time.
import './lib/node-version.mjs';
import { ensureBuilt } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';

ensureInstalled();
ensureBuilt();

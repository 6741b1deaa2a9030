// `npm run docs:settings`: writes the tables of settings into README.md and docs/settings.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { ensureBuilt } from './lib/build.mjs';
import { inProject, say } from './lib/project.mjs';

ensureBuilt();
const { settingsDocuments } = await import('../dist/apps/shared/src/settings-docs.js');
for (const { path, update } of settingsDocuments) {
  const before = readFileSync(inProject(path), 'utf8');
  const after = update(before);
  if (after !== before) writeFileSync(inProject(path), after);
  say(`${path} ${after === before ? 'is up to date' : 'was updated'}.`);
}

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { giveUp, inProject, readText, root, say, sha256 } from './project.mjs';

const SOURCES = ['apps', 'libs', 'bench', 'ormconfig.ts'];
const ALSO_DECISIVE = [
  'tsconfig.json',
  'tsconfig.build.json',
  'package-lock.json',
  'scripts/bundle.mjs',
];
const TEST = /[.-]spec\.ts$/;
const MANIFEST = inProject('dist', '.pantheon-build.json');
export const COMPILER = inProject('node_modules', '@typescript', 'native', 'bin', 'tsc');

/** Compiles the sources into dist, unless that was done since they last changed. */
export function ensureBuilt() {
  const sources = listSources();
  const fingerprint = fingerprintOf([...sources, ...ALSO_DECISIVE.map((name) => inProject(name))]);
  const last = JSON.parse(readText(MANIFEST) ?? '{}');
  if (last.fingerprint === fingerprint && existsSync(inProject('dist/bin/api.js'))) return;
  say('Building …');
  const startedAt = performance.now();
  build(last.outputs ?? []);
  removeOrphans(new Set(sources));
  writeFileSync(MANIFEST, JSON.stringify({ fingerprint, outputs: listOutputs() }));
  say(`Built in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`);
}

function build(expectedOutputs) {
  mkdirSync(inProject('dist'), { recursive: true });
  // The incremental compiler writes only what changed, and does not miss what somebody deleted.
  const isIncomplete =
    expectedOutputs.length === 0 || expectedOutputs.some((path) => !existsSync(inProject(path)));
  if (isIncomplete) rmSync(inProject('dist/.tsbuildinfo'), { force: true });
  // A build that fails half-way must not pass for the last good one.
  rmSync(MANIFEST, { force: true });
  runStep([COMPILER, '-p', 'tsconfig.build.json']);
  runStep([inProject('scripts', 'bundle.mjs')]);
}

function runStep(args) {
  const { status, error } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (error !== undefined) giveUp(`The build could not be run: ${error.message}`);
  if (status !== 0) giveUp('The build failed; the messages above say where.');
}

/** Path, time and size of every source: a file that was touched counts as changed. */
function fingerprintOf(paths) {
  const lines = paths.map((path) => {
    const { mtimeMs, size } = statSync(path);
    return `${relative(root, path)}\0${mtimeMs}\0${size}`;
  });
  return sha256(lines.join('\n'));
}

function listSources() {
  return SOURCES.map((name) => inProject(name))
    .filter((path) => existsSync(path))
    .flatMap((path) => (path.endsWith('.ts') ? [path] : listFiles(path, /\.ts$/)))
    .filter((path) => !TEST.test(path));
}

function listOutputs() {
  return listFiles(inProject('dist'), /\.js$/).map((path) => relative(root, path));
}

/** What was compiled from a source that is gone now. */
function removeOrphans(sources) {
  for (const name of ['apps', 'libs', 'bench']) {
    for (const output of listFiles(inProject('dist', name), /\.js(\.map)?$/)) {
      const source = inProject(relative(inProject('dist'), output).replace(/\.js(\.map)?$/, '.ts'));
      if (!sources.has(source)) rmSync(output);
    }
    removeEmptyFolders(inProject('dist', name));
  }
}

function removeEmptyFolders(folder) {
  for (const entry of entriesOf(folder)) {
    if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name));
  }
  if (existsSync(folder) && entriesOf(folder).length === 0) rmdirSync(folder);
}

function listFiles(folder, pattern) {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : listFiles(path, pattern);
    return pattern.test(entry.name) ? [path] : [];
  });
}

function entriesOf(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { giveUp, inProject, readText, root, say, sha256 } from './project.mjs';

const MARKER = inProject('node_modules', '.pantheon-lock');

/** Installs what package-lock.json names, unless that is what is installed. */
export function ensureInstalled() {
  const lock = readText(inProject('package-lock.json'));
  if (lock === undefined) giveUp(`package-lock.json is missing in ${root}: get it back with git.`);
  const wanted = wantedMarker(lock);
  if (readText(MARKER) === wanted) return;
  if (!isInstalledByNpm(lock)) install();
  try {
    writeFileSync(MARKER, wanted);
  } catch {
    // A folder that we may not write to: the slower check decides each time.
  }
}

/** Native programs differ by platform, and a folder may be copied from one to another. */
function wantedMarker(lock) {
  return sha256(`${process.platform}-${process.arch}\n${lock}`);
}

/** Whether npm itself left a record that matches: somebody has run `npm ci` by hand. */
function isInstalledByNpm(lockText) {
  const recordText = readText(inProject('node_modules', '.package-lock.json'));
  if (recordText === undefined) return false;
  const wanted = JSON.parse(lockText).packages;
  const installed = JSON.parse(recordText).packages;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true;
    const found = installed[path];
    if (found === undefined) return optional === true && !isForThisPlatform(wanted[path]);
    return found.version === version && found.integrity === integrity;
  });
}

function isForThisPlatform({ os, cpu, libc }) {
  return os?.includes(process.platform) && cpu?.includes(process.arch) && libc === undefined;
}

function install() {
  say('Installing the packages of package-lock.json (once; this takes a minute) …');
  const npm = process.env.npm_execpath;
  const [command, first] =
    npm !== undefined && /npm-cli\.c?js$/.test(npm) ? [process.execPath, [npm]] : ['npm', []];
  const scratch = isCacheWritable() ? undefined : mkdtempSync(join(tmpdir(), 'pantheon-npm-'));
  // The compiler is a development dependency, so those are wanted under NODE_ENV=production too.
  const args = [...first, 'ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: scratch === undefined ? process.env : { ...process.env, npm_config_cache: scratch },
  });
  if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  if (error !== undefined) giveUp(`npm could not be run: ${error.message}`);
  if (status !== 0) giveUp('npm ci failed; its messages above say why.');
}

/** npm keeps downloads under HOME, which may be missing or read-only. */
function isCacheWritable() {
  const cache = process.env.npm_config_cache || join(homedir(), '.npm');
  // With an empty HOME npm itself comes up with `~/.npm`, taken literally.
  return isAbsolute(cache) && isWritable(cache);
}

/** Whether a folder can be written to, or made. */
function isWritable(path) {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    return error.code === 'ENOENT' && path !== dirname(path) && isWritable(dirname(path));
  }
}

import { execFile } from 'node:child_process';
import {
  chmod,
  copyFile,
  cp,
  link,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type DockerStage, type DockerStep, readDockerfile } from './dockerfile.js';

const run = promisify(execFile);

/** What a Dockerfile makes, as plain folders instead of an image. */
export interface BuiltImage {
  /** The folder that stands for `/` of the last stage. */
  readonly root: string;
  readonly stage: DockerStage;
  /** The WORKDIR of the last stage. */
  readonly workdir: string;
  /** The `node` that the base image would bring; any user may run it. */
  readonly node: string;
  remove(): Promise<void>;
}

/**
 * Carries out the COPY and RUN steps of a Dockerfile in temporary folders: what a step needs and no
 * earlier step has brought is missing here as it would be in the image. One step is shortened:
 * `npm ci` takes the packages that are installed already, for a fresh clone proves that command.
 */
export async function buildImage(dockerfile: string, ignoreFile: string): Promise<BuiltImage> {
  const folder = await mkdtemp(join(tmpdir(), 'pantheon-image-'));
  // When root runs the tests, the user of the image has to pass through.
  await chmod(folder, 0o755);
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const ignored = ignoreRules(await readFile(ignoreFile, 'utf8'));
    const stages = readDockerfile(await readFile(dockerfile, 'utf8'));
    const roots = new Map<string, string>();
    let last: { root: string; workdir: string; stage: DockerStage } | undefined;
    for (const stage of stages) {
      const root = join(folder, stage.name);
      roots.set(stage.name, root);
      last = { root, workdir: await carryOut(stage, root, roots, ignored), stage };
    }
    if (last === undefined) throw new Error(`${dockerfile} has no stage`);
    return { ...last, node: await bringNode(folder), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function carryOut(
  stage: DockerStage,
  root: string,
  roots: ReadonlyMap<string, string>,
  ignored: (path: string) => boolean,
): Promise<string> {
  let workdir = root;
  for (const step of stage.steps) {
    if (step.keyword === 'WORKDIR') {
      workdir = join(root, step.text);
      await mkdir(workdir, { recursive: true });
    } else if (step.keyword === 'COPY') {
      await copy(step, workdir, roots, ignored);
    } else if (step.keyword === 'RUN') {
      await command(step.text, workdir);
    }
  }
  return workdir;
}

async function copy(
  step: DockerStep,
  workdir: string,
  roots: ReadonlyMap<string, string>,
  ignored: (path: string) => boolean,
): Promise<void> {
  const words = step.text.split(/\s+/);
  const target = join(workdir, words.at(-1) ?? '');
  const from = step.flags.get('from');
  for (const source of words.slice(0, -1)) {
    const destination = words.at(-1)?.endsWith('/') ? join(target, basename(source)) : target;
    await mkdir(dirname(destination), { recursive: true });
    if (from === undefined) {
      await cp(source, destination, { recursive: true, filter: (path) => !ignored(path) });
    } else {
      await cloneTree(join(roots.get(from) ?? '', source), destination);
    }
  }
}

async function command(text: string, workdir: string): Promise<void> {
  if (text.startsWith('npm ci')) {
    await reuseInstalledPackages(workdir);
    return;
  }
  const env = { ...process.env, npm_config_offline: 'true', npm_config_update_notifier: 'false' };
  await run('sh', ['-ec', text], { cwd: workdir, env });
}

async function reuseInstalledPackages(workdir: string): Promise<void> {
  const packages = join(workdir, 'node_modules');
  await cloneTree('node_modules', packages);
  // npm only unlinks what it prunes, but its record it writes in place: have one of our own.
  const record = join(packages, '.package-lock.json');
  await copyFile(record, `${record}.own`);
  await rename(`${record}.own`, record);
}

/** Copies by hard links where the system allows them: there are 20,000 files. */
async function cloneTree(from: string, to: string): Promise<void> {
  try {
    await run('cp', ['-al', from, to]);
  } catch {
    await rm(to, { recursive: true, force: true });
    await run('cp', ['-R', from, to]);
  }
}

/** The Node of this test where any user can run it: it may be installed below root's home. */
async function bringNode(folder: string): Promise<string> {
  const path = join(folder, 'node');
  if (process.getuid?.() !== 0) await symlink(process.execPath, path);
  else await link(process.execPath, path).catch(() => copyFile(process.execPath, path));
  return path;
}

/** .dockerignore as far as ours goes: `*`, `!name` that takes back, and `**` + `/name`. */
function ignoreRules(content: string): (path: string) => boolean {
  const rules = content.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const kept = rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1));
  const dropped = rules
    .filter((rule) => rule.startsWith('**/'))
    .map(
      (rule) =>
        new RegExp(`(^|/)${rule.slice(3).replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`),
    );
  return (path) =>
    !kept.some(
      (name) => path === name || path.startsWith(`${name}/`) || name.startsWith(`${path}/`),
    ) || dropped.some((pattern) => pattern.test(path));
}

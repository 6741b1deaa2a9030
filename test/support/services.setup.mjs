import { register } from 'node:module';

/** Starts what the tests of a run share, before the first of them. */
export default async function setup() {
  register('./typescript.hooks.mjs', import.meta.url);
  const { startServices } = await import('./start-services.ts');
  globalThis.stopTestServices = await startServices();
}

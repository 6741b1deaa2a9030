/** Stops what the set-up started. */
export default async function teardown() {
  await globalThis.stopTestServices?.();
}

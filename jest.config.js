import { swcOptions } from './test/support/swc-options.mjs';

// Threads that a test starts run sources too.
process.env.PANTHEON_TEST_THREAD_IMPORT = new URL(
  './test/start/support/register-typescript.mjs',
  import.meta.url,
).href;

/** Three sizes of tests in ESM mode: unit beside the code, integration on real services, end to end over HTTP. */
const common = {
  rootDir: import.meta.dirname ?? process.cwd(),
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': ['@swc/jest', swcOptions],
  },
};

/** @type {import('jest').Config} */
export default {
  workerIdleMemoryLimit: '800MB',
  maxWorkers: 2,
  // A machine may be slow; a test that hangs is found all the same.
  testTimeout: 60_000,
  projects: [
    { ...common, displayName: 'unit', testMatch: ['**/{libs,apps,bench,test}/**/*.spec.ts'] },
    {
      ...common,
      displayName: 'integration',
      testMatch: ['**/{libs,apps,test}/**/*.int-spec.ts'],
      globalSetup: './test/support/services.setup.mjs',
      globalTeardown: './test/support/services.teardown.mjs',
    },
    {
      ...common,
      displayName: 'e2e',
      testMatch: ['**/{apps,test}/**/*.e2e-spec.ts'],
      globalSetup: './test/support/services.setup.mjs',
      globalTeardown: './test/support/services.teardown.mjs',
    },
  ],
};

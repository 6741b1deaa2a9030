/** Three sizes of tests in ESM mode: unit beside the code, integration on real services, end to end over HTTP. */
const common = {
  rootDir: import.meta.dirname ?? process.cwd(),
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};

/** @type {import('jest').Config} */
export default {
  workerIdleMemoryLimit: '800MB',
  maxWorkers: 2,
  projects: [
    { ...common, displayName: 'unit', testMatch: ['**/{libs,apps,bench,test}/**/*.spec.ts'] },
    {
      ...common,
      displayName: 'integration',
      testMatch: ['**/{libs,apps,test}/**/*.int-spec.ts'],
      globalSetup: './test/support/services.setup.ts',
      globalTeardown: './test/support/services.teardown.ts',
    },
    {
      ...common,
      displayName: 'e2e',
      testMatch: ['**/{apps,test}/**/*.e2e-spec.ts'],
      globalSetup: './test/support/services.setup.ts',
      globalTeardown: './test/support/services.teardown.ts',
    },
  ],
};

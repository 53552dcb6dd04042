import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**'],
    globalSetup: ['test/support/built.mjs'],
    pool: 'forks',
    maxWorkers: 2,
    // At length (npm run test:full) a single test kills hundreds of processes.
    testTimeout: process.env.KUBEDOS_TEST_FULL ? 3_600_000 : 240_000,
    hookTimeout: 240_000,
  },
});

import { defineConfig } from 'vitest/config';

/** Two kinds of Node test: plain ones, and those that run WGSL through Dawn (npm package `webgpu`). */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'tools/**/*.test.ts'],
          exclude: ['**/*.gpu.test.ts', '**/node_modules/**'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'gpu',
          include: ['src/**/*.gpu.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          // One adapter, one process: software adapters use every core already.
          pool: 'forks',
          maxWorkers: 1,
          isolate: false,
        },
      },
    ],
  },
});

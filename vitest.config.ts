import { defineConfig } from 'vitest/config';

/** Node tests: plain ones, those that run WGSL through Dawn (npm package `webgpu`), and benchmarks. */
export default defineConfig({
  // A constant of the build, which tests have too.
  define: { __DEMO_VERSION__: JSON.stringify('test') },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'tools/**/*.test.ts'],
          exclude: ['**/*.gpu.test.ts', '**/node_modules/**'],
          // vitest leaves one core to its own process, which on two cores is half of the machine.
          maxWorkers: '100%',
          // A bound on tests that hang: on a machine with twenty other jobs a slow one takes a minute.
          testTimeout: 180_000,
          // Files share the modules of their process, for evaluating them anew takes two fifths of the time. So tests pass in what they
          // pretend, and never mock a module: the next file would find it mocked.
          isolate: false,
          // Spies end with their test. Stubbed globals may stand for a whole file: `unitSetup` takes them away behind it.
          restoreMocks: true,
          // Not setImmediate: the stand-in for IndexedDB runs on it, and what an earlier file left of it would wait for the fake clock.
          fakeTimers: { toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] },
          // Optimizing ONNX Runtime's wasm takes longer than these short runs save.
          execArgv: ['--liftoff-only'],
          setupFiles: ['tools/unitSetup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'gpu',
          include: ['src/**/*.gpu.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          // One adapter, one process: software adapters use every core already.
          pool: 'forks',
          maxWorkers: 1,
          isolate: false,
          // Optimizing ONNX Runtime's wasm takes far longer than the short runs of these tests save.
          execArgv: ['--liftoff-only'],
        },
      },
      {
        // `npm run bench`: no test, so no part of `npm test`.
        test: {
          name: 'bench',
          include: ['bench/**/*.bench.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 120_000,
          pool: 'forks',
          maxWorkers: 1,
        },
      },
    ],
  },
});

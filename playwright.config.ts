import { defineConfig } from '@playwright/test';
import { chromiumFlags, ensureChromium } from './tools/chromium.mjs';

const port = Number(process.env['SECATEUR_E2E_PORT'] ?? 4187);

/** `npm run test:long` runs all specs, those of e2e/long and the cases that `npm test` leaves out for their time included. */
const long = process.env['SECATEUR_TIER'] === 'long';

const executablePath = ensureChromium({ headless: !long });
// For specs that start a browser of their own.
process.env['CHROMIUM_PATH'] = executablePath;

/** The built page in a real Chromium, WebGPU on the CPU: right, but slow, hence the long timeouts. */
export default defineConfig({
  testDir: 'e2e',
  testIgnore: long ? [] : '**/e2e/long/**',
  outputDir: 'test-results',
  // Each worker has a browser: SwiftShader compiles one kernel at a time in a process, which leaves the other core idle.
  workers: long ? 1 : 2,
  fullyParallel: false,
  forbidOnly: process.env['CI'] !== undefined,
  // Bounds on what hangs: a test of a minute takes several on a busy machine.
  timeout: 360_000,
  expect: { timeout: 60_000 },
  reporter: [['list']],
  use: {
    baseURL: `http://127.0.0.1:${port}/`,
    browserName: 'chromium',
    viewport: { width: 1280, height: 900 },
    // Drawing animations on the CPU takes a fifth of the processor time, and no test looks at one.
    contextOptions: { reducedMotion: 'reduce' },
    // Recording takes a quarter of the processor time. To see how a test failed: npx playwright test FILE --trace on
    trace: long ? 'retain-on-failure' : 'off',
    screenshot: 'only-on-failure',
    launchOptions: { executablePath, args: chromiumFlags() },
  },
  webServer: {
    command: `node tools/serve.mjs --strict --port ${port}`,
    url: `http://127.0.0.1:${port}/`,
    reuseExistingServer: false,
  },
});

/** @file The test function of every spec: a folder server, and the page with the laboratory ready. */
import { type BrowserContext, test as base, type Page } from '@playwright/test';
import type { LabError } from '../../src/errors';
import type { Lab } from '../../src/lab/contract/types';
import { expect } from './expect';
import { type Folder, FolderServer } from './folderServer';
import { violations } from './violations';

export { expect };

declare global {
  interface Window {
    lab: Lab;
    /** Turns a promise that should reject into what it rejects with; rejects itself when the promise resolves. */
    failure(promise: Promise<unknown>): Promise<Failure>;
  }
}

/** `npm run test:long` runs cases that `npm test` leaves out for their time. */
export const longTier = process.env['SECATEUR_TIER'] === 'long';

/** A rejection as the tests see it. */
export type Failure = Pick<LabError, 'code' | 'message' | 'remedy'>;

interface Fixtures {
  /** Serves model folders from another origin; empty at the start of each test. */
  folders: FolderServer;
  /** Console errors and uncaught exceptions of `page` so far. */
  problems: string[];
  /**
   * A page with the laboratory ready, for tests that only call `window.lab`. They share it, and with it what the engine and
   * ONNX Runtime have compiled: each loads a model of its own. Nothing may violate the page's policy. A failed test ends its
   * process, so that the next one finds a new page.
   */
  sharedPage: Page;
}

interface WorkerFixtures {
  folderServer: FolderServer;
  shared: { readonly page: Page; readonly said: readonly string[] };
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  folderServer: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameter's pattern
    async ({}, use) => {
      const server = await FolderServer.start();
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
  shared: [
    async ({ browser }, use, { project }) => {
      const { baseURL, viewport, contextOptions } = project.use;
      const page = await browser.newPage({ ...contextOptions, baseURL: baseURL!, viewport: viewport! });
      const said = await violations(page);
      await openLab(page);
      await use({ page, said });
      await page.close();
    },
    { scope: 'worker' },
  ],
  sharedPage: async ({ shared: { page, said } }, use) => {
    await use(page);
    expect(said).toEqual([]);
  },
  folders: async ({ folderServer }, use) => {
    folderServer.reset();
    await use(folderServer);
  },
  problems: async ({ page }, use) => {
    const problems: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
    await use(problems);
  },
});

/** Puts `window.failure` into every document of the page. */
async function installHelpers(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.failure = async (promise) => {
      let answer: unknown;
      try {
        answer = await promise;
      } catch (error) {
        const { code, message, remedy } = error as Failure;
        return { code, message, remedy };
      }
      throw new Error(`Expected a failure, but the call gave ${JSON.stringify(answer)}.`);
    };
  });
}

async function open(page: Page, path: string): Promise<void> {
  await installHelpers(page);
  await page.goto(path);
  await page.waitForFunction(() => window.lab !== undefined);
  await page.evaluate(() => window.lab.ready);
}

/**
 * Gives the demo at most 32 positions. What the page measures by itself then takes a quarter of the tokens. Does nothing in the long
 * tier, which tries the demo as it is.
 */
export async function shortenDemo(context: BrowserContext): Promise<void> {
  if (longTier) return;
  await context.route('**/demo/config.json', async (route) => {
    const response = await route.fetch();
    // As long as before, for the answer may be a range.
    const body = (await response.text()).replace('"max_position_embeddings": 256', '"max_position_embeddings":  32');
    await route.fulfill({ response, body });
  });
}

/** Opens the page as a newcomer does: the demo loads by itself. */
export async function openPage(page: Page): Promise<void> {
  await open(page, './');
}

/**
 * Opens the page without the demo's automatic first result: for tests that drive `window.lab` themselves. `more` are
 * further settings of the address, as '&kernel=4x8'; `site` where another server has the page.
 */
export async function openLab(page: Page, more = '', site = './'): Promise<void> {
  await open(page, `${site}?model=${more}`);
}

/** Follows a link to a model that is not stored: looks it up and opens it, which takes a click each. */
export async function openLink(page: Page, source: string): Promise<void> {
  await page.goto(`./?model=${encodeURIComponent(source)}`);
  await page.getByRole('button', { name: 'Look it up' }).click();
  await page.getByRole('button', { name: 'Download and open' }).click();
}

/** Loads a folder's files as a file picker would give them: `lab.load(File[])`. */
export async function loadFiles(page: Page, folder: Folder): ReturnType<Lab['load']> {
  const files = [...folder].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')] as const);
  return page.evaluate(async (list) => {
    const made = list.map(([name, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      return new File([bytes], name);
    });
    return window.lab.load(made);
  }, files);
}

/** |a − b| ≤ tolerance · |b|, with both numbers in the message. */
export function expectClose(actual: number, expected: number, tolerance: number, what: string): void {
  const difference = Math.abs(actual - expected) / Math.abs(expected);
  expect(difference, `${what}: expected ${expected}, got ${actual}`).toBeLessThanOrEqual(tolerance);
}

/** The same for whole lists. */
export function expectAllClose(actual: number[], expected: number[], tolerance: number, what: string): void {
  expect(actual.length, `${what}: number of values`).toBe(expected.length);
  expected.forEach((value, i) => void expectClose(actual[i]!, value, tolerance, `${what}[${i}]`));
}

/** @file Where things are on the page, by role and name: the one place that follows when the page's words change. */
import type { Locator, Page } from '@playwright/test';
import { longTier } from './test';

/** The strip's buttons, one per block. */
export const blocks = (page: Page): Locator =>
  page.getByRole('group', { name: 'Blocks of the model' }).getByRole('button');

export const block = (page: Page, index: number): Locator =>
  page.getByRole('button', { name: `Cut block ${index}`, exact: true });

/** The panel that follows every click. */
export const now = (page: Page): Locator => page.getByRole('complementary', { name: 'Now', exact: true });

/** The live perplexity, once it belongs to the plan that is shown. */
export const freshPerplexity = (page: Page): Locator => now(page).locator('.big:not(.stale)');

/** The live perplexity as a number, measured on the plan that is shown. */
export async function readPerplexity(page: Page): Promise<number> {
  return Number(((await freshPerplexity(page).textContent()) ?? '').replace(/[^\d.]/g, ''));
}

export const comparison = (page: Page): Locator => page.getByRole('region', { name: 'Comparison', exact: true });

export const slider = (page: Page): Locator => page.getByRole('slider', { name: /^Propose a cut/ });

/** The stage that trains variants. */
export const retraining = (page: Page): Locator => page.getByRole('region', { name: 'Retrain', exact: true });

/** The training that the page shows: its accessible text is 'step 3 of 100'. */
export const trainingBar = (page: Page): Locator => retraining(page).getByRole('progressbar', { name: /^Training / });

/** A picture of the whole page to look at, in test-results/states. The long tier takes them: each costs a second or two on the CPU. */
export async function shot(page: Page, name: string): Promise<void> {
  if (longTier) await page.screenshot({ path: `test-results/states/${name}.png`, fullPage: true });
}

/** @file One page for a desk, a phone and a keyboard. */
import type { Page } from '@playwright/test';
import { shortModel } from './support/checkpoint';
import { block, blocks, freshPerplexity, now, shot, slider } from './support/parts';
import { expect, longTier, openLink, test } from './support/test';

/** How far the document is wider than the window, px. */
const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

const screens = [
  { name: 'a desk', width: 1280, height: 800, theme: 'light' },
  { name: 'a phone', width: 390, height: 844, theme: 'dark' },
] as const;

async function expectReachable(page: Page): Promise<void> {
  for (const { name, width, height, theme } of screens) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of longTier ? (['light', 'dark'] as const) : ([theme] as const)) {
      await page.emulateMedia({ colorScheme });
      await expect.poll(() => overflow(page), { message: `${name}, ${colorScheme}` }).toBeLessThanOrEqual(0);
      const last = (await blocks(page).count()) - 1;
      await block(page, last).scrollIntoViewIfNeeded();
      await expect(block(page, last)).toBeInViewport();
      await slider(page).scrollIntoViewIfNeeded();
      await expect(slider(page)).toBeInViewport();
      await now(page)
        .getByRole('button', { name: /^Benchmark/ })
        .scrollIntoViewIfNeeded();
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      await shot(page, `${width}-${colorScheme}`);
    }
  }
}

/** From the top of the page. */
async function expectFocusRings(page: Page): Promise<void> {
  let seen = 0;
  for (let presses = 0; presses < 12; presses += 1) {
    await page.keyboard.press('Tab');
    const ring = await page.evaluate(() => {
      const focused = document.activeElement;
      if (focused === null || focused === document.body) return null;
      const style = getComputedStyle(focused);
      const outlined = style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) > 0;
      return { name: focused.outerHTML.slice(0, 80), visible: outlined || style.boxShadow !== 'none' };
    });
    if (ring === null) continue;
    seen += 1;
    expect(ring.visible, `focus ring of ${ring.name}`).toBe(true);
  }
  expect(seen).toBeGreaterThan(3);
}

async function expectStripKeys(page: Page): Promise<void> {
  const last = (await blocks(page).count()) - 1;
  await expect(blocks(page).and(page.locator('[tabindex="0"]'))).toHaveCount(1);
  await block(page, 0).focus();
  await page.keyboard.press('ArrowRight');
  await expect(block(page, 1)).toBeFocused();
  await page.keyboard.press('Space');
  await expect(block(page, 1)).toHaveAttribute('aria-pressed', 'true');
  await expect(block(page, 1)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(block(page, 1)).toHaveAttribute('aria-pressed', 'false');
  await page.keyboard.press('End');
  await expect(block(page, last)).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(block(page, last)).toBeFocused();
  await page.keyboard.press('Home');
  await expect(block(page, 0)).toBeFocused();
  await expect(blocks(page).and(page.locator('[tabindex="0"]'))).toHaveCount(1);
}

test('nothing scrolls sideways but the strip, everything can be reached, and the keyboard works and shows its focus', async ({
  page,
  folders,
}) => {
  // Small: the demo takes longer to be measured than everything that is tried here.
  await openLink(page, folders.put('tiny-c', shortModel('tiny-c')));
  await expect(blocks(page)).not.toHaveCount(0, { timeout: 60_000 });
  await expect(freshPerplexity(page)).toHaveText(/\d/, { timeout: 120_000 });
  await test.step('desk and phone, light and dark', () => expectReachable(page));
  await page.setViewportSize({ width: 1280, height: 900 });
  await test.step('whatever has the keyboard’s focus shows it', () => expectFocusRings(page));
  await test.step('the strip: one tab stop, arrows, Home and End, space and enter', () => expectStripKeys(page));
});

/** @file While the worker computes, the main thread stays free: no task of the page takes long. */
import { mainThreadTasks } from '../support/mainThread';
import { blocks, freshPerplexity } from '../support/parts';
import { expect, openLab, openPage, test } from '../support/test';

// Playwright's own recording takes snapshots of the page on the very thread that is measured.
test.use({ trace: 'off' });

/**
 * A task of known size: counts to 3 · 10⁸ on the main thread, 0.1 to 0.3 s of CPU on most machines. The bound of the page's
 * own tasks is a share of it, so that a slow machine has a wider one.
 */
const knownWork = () => {
  let sum = 0;
  for (let i = 0; i < 3e8; i++) sum = (sum + i) | 0;
  return sum;
};

test('no task of the main thread is long while a sweep, Taylor and a search run', async ({ page, browser }, info) => {
  test.setTimeout(900_000);
  await openLab(page);
  const [known] = await mainThreadTasks(browser, page, async () => void (await page.evaluate(knownWork)));
  await openPage(page);
  await expect(blocks(page)).not.toHaveCount(0, { timeout: 60_000 });
  await expect(freshPerplexity(page)).toHaveText(/\d/, { timeout: 120_000 });
  const tasks = await mainThreadTasks(browser, page, async () => {
    await expect(page.getByRole('img', { name: /^Perplexity of each block/ })).toBeVisible({ timeout: 240_000 });
    await page.getByRole('radio', { name: 'Taylor' }).check();
    await expect(page.getByRole('img', { name: /^Taylor of each block/ })).toBeVisible({ timeout: 240_000 });
    await page.getByRole('button', { name: 'Search with SLEB' }).click();
    await expect(page.getByRole('list', { name: /^Steps of SLEB/ }).getByRole('listitem')).not.toHaveCount(0, {
      timeout: 240_000,
    });
  });
  const longest = tasks.slice(0, 5).map(({ cpu, wall }) => `${cpu.toFixed(1)} ms CPU in ${wall.toFixed(1)} ms`);
  const found = `known work: ${known!.cpu.toFixed(1)} ms CPU; longest tasks: ${longest.join(', ')}`;
  info.annotations.push({ type: 'main thread', description: found });
  console.log(found);
  expect(tasks.length, 'tasks in the trace').toBeGreaterThan(100);
  expect(tasks[0]!.cpu / known!.cpu, found).toBeLessThan(0.5);
});

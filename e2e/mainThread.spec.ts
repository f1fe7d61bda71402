/** @file While the worker computes, the page belongs to the person: no task of the main thread is long. */
import { mainThreadTasks } from './support/mainThread';
import { blocks, freshPerplexity } from './support/parts';
import { expect, openLab, openPage, test } from './support/test';

/** Longest task that a person does not feel, ms. */
const longTask = 50;

// Playwright's own recording takes snapshots of the page on the very thread that is measured.
test.use({ trace: 'off' });
// The clock of a thread runs on while the host of a virtual machine lends its core to others. A long task that the page
// makes is there in every run; one that the machine made is not.
test.describe.configure({ retries: 2 });

test('the trace sees a long task', async ({ page, browser }) => {
  await openLab(page);
  const tasks = await mainThreadTasks(browser, page, () =>
    page.evaluate(() => {
      const end = performance.now() + 300;
      while (performance.now() < end);
    }),
  );
  expect(tasks[0]!.wall).toBeGreaterThan(290);
  expect(tasks[0]!.cpu).toBeGreaterThan(longTask);
});

test('no task of the main thread is long while a sweep, Taylor and a search run', async ({ page, browser }, info) => {
  test.setTimeout(600_000);
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
  info.annotations.push({ type: 'longest tasks', description: longest.join(', ') });
  expect(tasks.length, 'tasks in the trace').toBeGreaterThan(100);
  expect(tasks[0]!.cpu, `longest tasks: ${longest.join(', ')}`).toBeLessThanOrEqual(longTask);
});

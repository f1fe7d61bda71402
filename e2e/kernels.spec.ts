/** @file The panel of kernels: what runs, what was measured over a reload, and where the time of a pass goes. */
import { expect, longTier, openLab, test } from './support/test';

test('measured kernels survive a reload, a profile names its kernels, and the address forces one', async ({
  page,
  problems,
}) => {
  test.skip(!longTier, 'for its time in `npm run test:long` only');
  await openLab(page);
  const tuned = await page.evaluate(async () => {
    await window.lab.load('demo');
    return window.lab.tune({ budgetMs: 1 });
  });
  expect(tuned.classes).toHaveLength(1);

  await openLab(page, '&kernel=4x8');
  const again = await page.evaluate(async () => {
    await window.lab.load('demo');
    return window.lab.tuning();
  });
  expect(again).toMatchObject({ classes: tuned.classes, forced: '4x8', running: false });

  const panel = page.getByRole('region', { name: 'Kernels', exact: true });
  await panel.getByText('Kernels', { exact: true }).click();
  await expect(panel.getByText('sets 4x8')).toBeVisible();
  await panel.getByRole('button', { name: 'Profile' }).click();
  const forward = panel.locator('.profile', { hasText: 'Forward pass' });
  await expect(forward.getByRole('rowheader', { name: 'linear F16 4x8' })).toBeVisible({ timeout: 60_000 });
  await panel.getByRole('button', { name: 'Cancel' }).click();
  await expect(panel.getByRole('button', { name: 'Profile again' })).toBeVisible({ timeout: 60_000 });
  expect(problems).toEqual([]);
});

if (longTier) {
  test('a bound on GPU memory: blocks stream, the scores stay, and the bound outlives a reload', async ({
    page,
    problems,
  }) => {
    await openLab(page);
    const { free, bound } = await page.evaluate(async () => {
      const { lab } = window;
      await lab.load('demo');
      await lab.calibrate({ samples: 2 });
      const measure = async () => {
        const { scores, peakGpuBytes } = await lab.importance('taylor');
        return { scores, peakGpuBytes, memory: await lab.memory() };
      };
      const whole = await measure();
      await lab.limitMemory(1e6);
      return { free: whole, bound: await measure() };
    });
    expect(free.memory).toMatchObject({ budgetBytes: null, blocks: 12, slots: 12, streamedBytes: 0 });
    expect(bound.memory).toMatchObject({ budgetBytes: 1e6, blocks: 12, slots: 2 });
    expect(bound.memory!.streamedBytes).toBeGreaterThan(bound.memory!.blockBytes);
    expect(bound.scores).toEqual(free.scores);
    expect(bound.peakGpuBytes).toBeLessThan(free.peakGpuBytes - free.memory!.blockBytes / 2);

    await openLab(page);
    await page.evaluate(() => window.lab.load('demo'));
    const panel = page.getByRole('region', { name: 'Kernels', exact: true });
    await panel.getByText('Kernels', { exact: true }).click();
    await expect(panel.getByText('2 of 12 blocks')).toBeVisible();
    await panel.getByLabel('At most').fill('');
    await panel.getByRole('button', { name: 'Set' }).click();
    await expect(panel.getByText('All 12 blocks')).toBeVisible();
    expect(await page.evaluate(() => window.lab.memory())).toMatchObject({ budgetBytes: null, slots: 12 });
    expect(problems).toEqual([]);
  });
}

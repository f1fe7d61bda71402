/** @file The panel of kernels: what runs, what was measured over a reload, and where the time of a pass goes. */
import { expect, openLab, test } from './support/test';

test('measured kernels survive a reload, a profile names its kernels, and the address forces one', async ({
  page,
  problems,
}) => {
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
  await expect(panel.getByText('asks for 4x8')).toBeVisible();
  await panel.getByRole('button', { name: 'Profile' }).click();
  const forward = panel.locator('.profile', { hasText: 'Forward pass' });
  await expect(forward.getByRole('rowheader', { name: 'linear F16 4x8' })).toBeVisible({ timeout: 60_000 });
  await panel.getByRole('button', { name: 'Cancel' }).click();
  await expect(panel.getByRole('button', { name: 'Profile again' })).toBeVisible({ timeout: 60_000 });
  expect(problems).toEqual([]);
});

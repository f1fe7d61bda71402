/** @file A training survives a reload of the page: it goes on from its last checkpoint, or what is there becomes a variant, whose curves the page draws from then on. */
import { fixture } from '../support/checkpoint';
import { block, comparison, freshPerplexity, retraining, trainingBar } from '../support/parts';
import { expect, openLink, test } from '../support/test';

test('after a reload an interrupted training can go on, and what is there can be kept', async ({ page, folders }) => {
  test.setTimeout(300_000);
  const { folder } = fixture('tiny-a');
  await openLink(page, folders.put('tiny-a', folder));
  await expect(freshPerplexity(page)).toHaveText(/\d/, { timeout: 120_000 });
  await block(page, 1).click();
  const stage = retraining(page);
  await stage.getByRole('radio', { name: 'Continued pretraining (CPT)' }).check();
  await stage.getByRole('spinbutton', { name: 'Training steps' }).fill('20000');
  await stage.getByText('Advanced').click();
  await stage.getByRole('spinbutton', { name: 'Steps between two checkpoints' }).fill('5');
  await stage.getByRole('button', { name: 'Train', exact: true }).click();
  const bar = trainingBar(page);
  await expect(bar).toHaveAttribute('aria-valuetext', /^step [1-9]\d+ of 20,000$/, { timeout: 60_000 });

  await page.reload();
  await expect(bar).toHaveAttribute('aria-valuetext', /^stopped at step [1-9][\d,]* of 20,000$/, { timeout: 120_000 });
  await stage.getByRole('button', { name: 'Resume' }).click();
  await expect(bar).toHaveAttribute('aria-valuetext', /^step [1-9]/, { timeout: 60_000 });

  await page.reload();
  await expect(bar).toHaveAttribute('aria-valuetext', /^stopped at step [1-9]/, { timeout: 120_000 });
  await stage.getByRole('button', { name: 'Keep what is there' }).click();
  await expect(comparison(page).getByRole('row', { name: /retrained/ })).toContainText('own weights', {
    timeout: 60_000,
  });
  await expect(bar).toHaveCount(0);

  // What has ended is drawn on the next visit too, from the variant's row.
  await page.reload();
  await expect(stage.getByText(/before the training/)).toContainText(/original model has/, { timeout: 120_000 });
  const figure = stage.getByRole('figure', { name: /^Chart of the training/ });
  await expect(figure.getByText('Of an earlier visit the page keeps the losses of some steps.')).toBeVisible();
  await expect(figure.locator('path.training-smooth').first()).toHaveAttribute('d', /^M.*L/);
  await expect(figure.locator('circle.training-mark').first()).toBeVisible();
});

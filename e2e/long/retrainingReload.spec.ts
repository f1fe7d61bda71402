/** @file A training on pairs of the Hub survives a reload of the page: it goes on from its last checkpoint, or what is there becomes a variant, whose curves the page draws from then on. */
import { parquetBytes } from '../../src/text/testing/parquetFile';
import { fixture } from '../support/checkpoint';
import { test } from '../support/hubTest';
import { block, comparison, freshPerplexity, retraining, trainingBar } from '../support/parts';
import { expect } from '../support/test';

test('after a reload an interrupted training can go on, and what is there can be kept', async ({
  page,
  folders,
  hub,
}) => {
  test.setTimeout(300_000);
  const { folder } = fixture('tiny-a');
  const names = ['Tom', 'Mia', 'Ben', 'Sue'];
  const pairs = parquetBytes({
    instruction: names.map((name) => `Who is ${name}?`),
    input: names.map(() => null),
    output: names.map((name) => `${name} is a friend.`),
  });
  const commit = hub.putDataset('owner/pairs', { folder: new Map([['data/train-00000-of-00001.parquet', pairs]]) });
  await page.goto(`./?model=${encodeURIComponent(folders.put('tiny-a', folder))}&hub=${hub.url}`);
  await page.getByRole('button', { name: 'Look it up' }).click();
  await page.getByRole('button', { name: 'Download and open' }).click();
  await expect(freshPerplexity(page)).toHaveText(/\d/, { timeout: 120_000 });
  await block(page, 1).click();
  const stage = retraining(page);
  await stage.getByRole('radio', { name: 'Continued pretraining (CPT)' }).check();
  await stage.getByText('Instruction pairs', { exact: true }).click();
  const dataset = stage.getByLabel('Name of a data set on the Hugging Face Hub');
  await dataset.fill('owner/nothing');
  await dataset.press('Enter');
  await expect(stage.getByText('The pairs could not be fetched')).toBeVisible();
  await dataset.fill('owner/pairs');
  await dataset.press('Enter');
  await expect(stage.getByText(`4 pairs of owner/pairs (commit ${commit.slice(0, 7)})`)).toBeVisible();
  await stage.getByRole('spinbutton', { name: 'Training steps' }).fill('20000');
  await stage.getByText('Advanced').click();
  await stage.getByRole('spinbutton', { name: 'Tokens of a training row' }).fill('256');
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
  await expect(figure).toContainText(`Trained on instruction pairs of owner/pairs (commit ${commit.slice(0, 7)})`);
  await expect(figure.locator('path.training-smooth').first()).toHaveAttribute('d', /^M.*L/);
  await expect(figure.locator('circle.training-mark').first()).toBeVisible();
});

/** @file A training on the page: its chart moves, it pauses and goes on, and what it has when it is stopped becomes a variant. */
import { shortModel } from './support/checkpoint';
import { block, comparison, freshPerplexity, now, retraining, trainingBar } from './support/parts';
import { expect, openLink, test } from './support/test';

test('a pruned variant is trained, paused, resumed, stopped and kept', async ({ page, folders, problems }) => {
  test.setTimeout(180_000);
  await openLink(page, folders.put('tiny-a', shortModel('tiny-a')));
  await expect(freshPerplexity(page)).toHaveText(/\d/, { timeout: 120_000 });
  await block(page, 1).click();

  const stage = retraining(page);
  await stage.getByRole('radio', { name: 'Continued pretraining (CPT)' }).check();
  await stage.getByRole('spinbutton', { name: 'Training steps' }).fill('5000');
  await stage.getByRole('button', { name: 'Train', exact: true }).click();
  const bar = trainingBar(page);
  await expect(bar).toHaveAttribute('aria-valuetext', /^step [1-9][\d,]* of 5,000$/, { timeout: 60_000 });

  const curve = stage.getByRole('figure').locator('path.training-smooth').first();
  const drawn = async (): Promise<number> => (await curve.getAttribute('d'))?.length ?? 0;
  await expect.poll(drawn).toBeGreaterThan(10);
  const before = await drawn();
  await expect.poll(drawn).toBeGreaterThan(before);

  await stage.getByRole('button', { name: 'Pause' }).click();
  await expect(bar).toHaveAttribute('aria-valuetext', /^paused at step [1-9]/);
  await stage.getByRole('button', { name: 'Resume' }).click();
  await expect(bar).toHaveAttribute('aria-valuetext', /^step /);
  await stage.getByRole('button', { name: 'Stop and keep' }).click();

  await expect(now(page)).toContainText('retrained', { timeout: 60_000 });
  await expect(freshPerplexity(page)).toHaveText(/\d/);
  await expect(comparison(page).getByRole('row', { name: /retrained/ })).toContainText('own weights');
  await expect(stage).toContainText(/Held-out perplexity [\d.,]+ before the training, [\d.,]+ after it/);
  await expect(bar).toHaveCount(0);
  expect(problems).toEqual([]);
});

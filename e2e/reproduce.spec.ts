/** @file A report runs again in another browser and agrees; two reports stand in one comparison. */
import { expect, openLab, test } from './support/test';

test('a report runs again in another browser, agrees, and stands beside another one', async ({
  page,
  browser,
  problems,
}) => {
  await openLab(page);
  const links = await page.evaluate(async () => {
    const { lab } = window;
    await lab.load('demo');
    await lab.importance('magnitude');
    const measured = { samples: 1, seqLen: 32 };
    await lab.perplexity('base', measured);
    await lab.evaluate('base', { task: 'story-endings', limit: 1 });
    const first = await lab.variant(await lab.plan({ blocks: [4] }), { name: 'without 4' });
    await lab.perplexity(first.id, measured);
    const one = await lab.shareUrl({ title: 'Block 4' });
    const second = await lab.variant(await lab.plan({ blocks: [7] }), { name: 'without 7' });
    await lab.perplexity(second.id, measured);
    await lab.discard(first.id);
    return [one, await lab.shareUrl({ title: 'Block 7' })];
  });

  const context = await browser.newContext();
  const reader = await context.newPage();
  reader.on('pageerror', (error) => problems.push(error.message));
  await reader.goto(links[0]!);
  await reader.getByRole('button', { name: 'Run it again on this device' }).click();
  await expect(reader.getByRole('form', { name: 'Run the report again' })).toContainText('comes from this page');
  await reader.getByRole('button', { name: 'Start' }).click();
  const agree = 'All 4 scores, perplexities and tasks agree with this device’s.';
  await expect(reader.getByRole('status')).toHaveText(agree, { timeout: 120_000 });
  const rows = reader.getByRole('region', { name: 'Numbers of the report, measured again' }).getByRole('row');
  await expect(rows.filter({ hasText: 'Perplexity of “without 4”' })).toContainText('agrees');
  await expect(rows.filter({ hasText: 'Right answers of the original model' })).toContainText(
    'Right answers to 1 question: ',
  );
  await reader.getByRole('button', { name: 'Go on in the laboratory' }).click();
  await expect(reader.getByRole('rowheader', { name: /without 4/ }).first()).toBeVisible();
  expect(reader.url()).not.toContain('#');

  await reader.goto(links[0]!);
  await reader.getByRole('button', { name: 'Compare with other reports' }).click();
  await reader.getByRole('textbox').fill(`And mine:\n${links[1]}`);
  await reader.getByRole('button', { name: 'Add', exact: true }).click();
  const group = reader.getByRole('region', { name: /2 reports/ });
  await expect(group.getByRole('img', { name: /^without [47], perplexity/ })).toHaveCount(2);
  // Its address brings the whole comparison back.
  await expect(reader).toHaveURL(/#c1\..*~/);
  await reader.reload();
  await expect(group.getByRole('img', { name: /^without [47], perplexity/ })).toHaveCount(2);
  await context.close();
  expect(problems).toEqual([]);
});

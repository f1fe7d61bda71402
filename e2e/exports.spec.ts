/** @file A variant leaves the page as a Hugging Face folder and comes back with the same perplexity. */
import { expect, openLab, test } from './support/test';

test('a depth variant of the demo, exported, loaded back as files and measured again', async ({ sharedPage: page }) => {
  const found = await page.evaluate(async () => {
    const { lab } = window;
    await lab.load('demo');
    const tokenIds = [Array.from({ length: 64 }, (_, at) => (at * 37) % 1700)];
    const plan = await lab.plan({ blocks: [2, 7] });
    const { id, parameters } = await lab.variant(plan);
    const before = await lab.perplexity(id, { tokenIds });
    const files = await lab.export(id, 'huggingface');
    const [archive] = await lab.export(id, 'huggingface', { archive: true });
    const chosen = files.filter(({ name }) => !name.includes('/'));
    const again = await lab.load(chosen);
    const after = await lab.perplexity('base', { tokenIds });
    return {
      ...{ before: before.meanNll, after: after.meanNll, parameters, loaded: again.parameters },
      ...{ blocks: again.shape.layers.length, names: files.map(({ name }) => name), notes: again.notes },
      archive: { name: archive!.name, larger: archive!.size > files.reduce((sum, { size }) => sum + size, 0) },
    };
  });
  expect(found.after).toBe(found.before);
  expect(found.loaded).toBe(found.parameters);
  expect(found.blocks).toBe(10);
  expect(found.names).toEqual(
    expect.arrayContaining(['config.json', 'README.md', 'model.safetensors', 'tokenizer.json']),
  );
  expect(found.archive).toEqual({ name: 'Storybook-without-2-7-huggingface.zip', larger: true });
  expect(found.notes).toEqual([]);
});

test('the panel writes the chosen format into a download', async ({ page }) => {
  await openLab(page);
  await page.evaluate(() => window.lab.load('demo'));
  const panel = page.getByRole('region', { name: 'Export' });
  await panel.getByRole('radio', { name: 'Recipe and script' }).check();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    panel.getByRole('button', { name: 'Download as .zip' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('Storybook-original-model-recipe.zip');
  await expect(panel.getByRole('status')).toContainText('where your browser puts downloads');
});

/** @file The export panel's commands over a scripted laboratory. */
import { beforeEach, expect, test } from 'vitest';
import type { VariantInfo } from '../../contract/types';
import { type TestPage, testModel, testPage, without } from '../testing/page';

const model = testModel();
const variant = (id: string): VariantInfo =>
  ({ id, name: `name of ${id}`, plan: without(model, 1), recipe: [], parent: 'base' }) as unknown as VariantInfo;

let page: TestPage;
beforeEach(() => {
  page = testPage();
  page.show(model, { variants: [variant('v1')], plan: without(model, 2) });
});

test('a chosen variant is written into the folder that the user picks', async () => {
  page.folder = { name: 'models' } as FileSystemDirectoryHandle;
  page.does.exportTo = () => ({ files: ['config.json', 'model.safetensors'], bytes: 70 });
  page.commands.chooseExport({ variant: 'v1', format: 'transformers.js' });
  page.commands.chooseExport({ dtype: 'f16' });
  await page.commands.exportToFolder();
  const [[id, format, folder, options] = []] = page.callsOf('exportTo');
  expect([id, format, folder]).toEqual(['v1', 'transformers.js', page.folder]);
  expect(options).toMatchObject({ dtype: 'f16' });
  expect(page.store.getState().exported).toEqual({
    ...{ name: 'name of v1', format: 'transformers.js', bytes: 70, folder: 'models' },
    files: ['config.json', 'model.safetensors'],
  });
});

test('without a folder nothing is made', async () => {
  await page.commands.exportToFolder();
  expect(page.calls).toEqual([]);
  expect(page.store.getState().tasks.export).toBeUndefined();
});

test('the plan shown becomes a variant and is downloaded as one archive', async () => {
  const file = new File(['x'], 'model.zip');
  page.does.variant = () => variant('v2');
  page.does.variants = () => [variant('v1'), variant('v2')];
  page.does.export = () => [file];
  await page.commands.exportDownload();
  expect(page.callsOf('variant')[0]?.[0]).toEqual(without(model, 2));
  const [[id, format, options] = []] = page.callsOf('export');
  expect([id, format]).toEqual(['v2', 'huggingface']);
  expect(options).toMatchObject({ archive: true });
  expect(options).not.toHaveProperty('dtype');
  expect(page.downloads).toEqual([file]);
  expect(page.store.getState().exported).toMatchObject({ name: 'name of v2', files: ['model.zip'], folder: null });
});

test('another format starts with its own default type, and a failure is shown', async () => {
  page.commands.chooseExport({ variant: 'v1', format: 'gguf', dtype: 'q8_0' });
  page.commands.chooseExport({ format: 'onnx' });
  expect(page.store.getState().exportSettings).toEqual({ variant: 'v1', format: 'onnx', dtype: null });
  page.does.export = () => Promise.reject(new Error('no'));
  await page.commands.exportDownload();
  expect(page.store.getState().tasks.export).toMatchObject({ phase: 'failed' });
  expect(page.store.getState().exported).toBeNull();
});

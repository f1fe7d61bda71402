/**
 * @file Writes Hugging Face folders of the golden checkpoints' variants, with the loss that the float64 model computes, for
 * check_transformers.py, and PEFT adapters with their parents and merged models for check_peft.py. Runs only where SECATEUR_EXPORTS names a folder to write into.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ExportedFile } from '../../src/export/exported';
import write from '../../src/export/huggingface/write';
import writePeft from '../../src/export/peft/write';
import writeRecipe from '../../src/export/recipe/write';
import { adapterCase } from '../../src/export/testing/adapter';
import { caseNames, variantCase } from '../../src/export/testing/cases';
import { contentOf } from '../../src/export/testing/source';
import { modelMeanNll } from '../../src/numerics/model';
import { goldenNames } from '../../src/pruning/testing/goldenCuts';
import { referenceOf } from '../../src/weights/testing/referenceOf';

const target = process.env['SECATEUR_EXPORTS'];

describe.skipIf(target === undefined)('skipped unless SECATEUR_EXPORTS names a folder', () => {
  test.each(goldenNames.flatMap((name) => caseNames.map((kind) => [name, kind] as const)))(
    '%s, %s',
    async (name, kind) => {
      const source = await variantCase(name, kind);
      if (source === null) return;
      const golden = JSON.parse(readFileSync(`tools/golden/fixtures/${name}/golden.json`, 'utf8')) as {
        calibration_token_ids: number[][];
      };
      const folder = join(target!, `${name}-${kind}`);
      const files = await write(source, {});
      expect(files.map(({ path }) => path)).toContain('config.json');
      for (const file of files) {
        const path = join(folder, file.path);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, await contentOf(file));
      }
      for (const file of await writeRecipe(source, {})) {
        mkdirSync(join(folder, 'recipe'), { recursive: true });
        writeFileSync(join(folder, 'recipe', file.path), await contentOf(file));
      }
      const { shape, weights } = source.view;
      const tokenIds = golden.calibration_token_ids;
      const loss = modelMeanNll(shape, await referenceOf(shape, weights), tokenIds);
      writeFileSync(join(folder, 'expected.json'), JSON.stringify({ token_ids: tokenIds, mean_nll: loss }));
    },
  );

  test.each(['tiny-a', 'tiny-qwen2', 'tiny-qwen3', 'tiny-gemma2', 'tiny-olmo2'])('%s, an adapter', async (name) => {
    const { parent, adapted, merged } = await adapterCase(name);
    const folder = join(target!, `${name}-peft`);
    const put = async (part: string, files: readonly ExportedFile[]): Promise<void> => {
      mkdirSync(join(folder, part), { recursive: true });
      for (const file of files) writeFileSync(join(folder, part, file.path), await contentOf(file));
    };
    await put('parent', await write(parent, {}));
    await put('adapter', await writePeft(adapted, {}));
    await put('merged', await write(merged, {}));
    const golden = JSON.parse(readFileSync(`tools/golden/fixtures/${name}/golden.json`, 'utf8')) as {
      calibration_token_ids: number[][];
    };
    writeFileSync(join(folder, 'tokens.json'), JSON.stringify(golden.calibration_token_ids.slice(0, 2)));
  });
});

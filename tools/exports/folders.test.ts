/**
 * @file Writes Hugging Face folders of the golden checkpoints' variants, with the loss that the float64 model computes, for
 * check_transformers.py. Runs only where SECATEUR_EXPORTS names a folder to write into.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import write from '../../src/export/huggingface/write';
import writeRecipe from '../../src/export/recipe/write';
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
});

/** @file The width methods against PyTorch's float64 numbers, on the golden checkpoints and a real trained model. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import '../../engine/testing/allclose';
import { Engine } from '../../engine/engine';
import type { GpuContext } from '../../engine/gpu/device';
import { longTier, sharedTestDevice } from '../../engine/testing/harness';
import { readModel } from '../../engine/testing/testWeights';
import { flapScores } from './flap';
import { llmPrunerScores } from './llmPruner';
import { columnSumsOnCpu, magnitudeSpScores } from './magnitudeSp';
import { wandaSpScores } from './wandaSp';

let context: GpuContext;
beforeAll(async () => {
  context = await sharedTestDevice();
});

interface Golden {
  calibration_token_ids: number[][];
  wanda_sp: { heads: number[][]; neurons: number[][] };
  flap: { heads: number[][]; neurons: number[][]; baseline_o: number[][]; baseline_down: number[][] };
  llm_pruner: { heads: number[][]; neurons: number[][] };
}

const read = (path: string): Golden => JSON.parse(readFileSync(path, 'utf8')) as Golden;

async function compareGolden(folder: string, golden: Golden, rtol: number, gradientRtol: number): Promise<void> {
  const model = readModel(folder);
  const { layers } = model.shape;
  const engine = await Engine.create(context, model);
  const sequences = golden.calibration_token_ids;
  const { taylor, width } = await engine.combinedPass(sequences, { width: true });
  const alone = await engine.widthStatistics(sequences);
  const columns = await engine.columnSums();
  engine.dispose();
  for (const statistics of [alone, width!]) {
    const wanda = wandaSpScores(statistics, layers);
    const flap = flapScores(statistics, layers);
    for (const part of ['heads', 'neurons'] as const) {
      layers.forEach((_, index) => {
        expect(wanda[part][index]!).toBeAllclose(golden.wanda_sp[part][index]!, { rtol, atol: 0 });
        // Standardized: 1 is their size, and some lie near 0.
        expect(flap[part][index]!).toBeAllclose(golden.flap[part][index]!, { rtol, atol: rtol });
      });
    }
    statistics.layers.forEach(({ attention, mlp }, index) => {
      const size = (values: readonly number[]): number => Math.max(...values.map(Math.abs));
      const baselines = { o: golden.flap.baseline_o[index]!, down: golden.flap.baseline_down[index]! };
      expect(attention!.mean).toBeAllclose(baselines.o, { rtol, atol: rtol * size(baselines.o) });
      expect(mlp!.mean).toBeAllclose(baselines.down, { rtol, atol: rtol * size(baselines.down) });
    });
  }
  const pruner = llmPrunerScores(taylor.layers, layers);
  for (const part of ['heads', 'neurons'] as const) {
    pruner[part].forEach((scores, index) => {
      expect(scores).toBeAllclose(golden.llm_pruner[part][index]!, { rtol: gradientRtol, atol: 0 });
    });
  }
  const onCpu = magnitudeSpScores(await columnSumsOnCpu(model), layers);
  expect(magnitudeSpScores(columns, layers).heads.flat()).toBeAllclose(onCpu.heads.flat(), { rtol: 1e-6 });
  expect(magnitudeSpScores(columns, layers).neurons.flat()).toBeAllclose(onCpu.neurons.flat(), { rtol: 1e-6 });
}

const fixtures = fileURLToPath(new URL('../../../tools/golden/fixtures/', import.meta.url));
const names = ['tiny-a', 'tiny-b', 'tiny-c', 'tiny-llama3', 'tiny-mistral', 'tiny-qwen3', 'tiny-biases'];
test.each(longTier ? [...names, 'tiny-qwen2'] : names)('%s: the scores of PyTorch', async (name) => {
  await compareGolden(fixtures + name, read(`${fixtures}${name}/golden.json`), 1e-3, 1e-3);
});

const shared = '../shared/golden/stories260K.json';
describe.skipIf(!existsSync(shared))('skipped when ../shared is not beside the project', () => {
  test('stories260K: the scores of PyTorch', async () => {
    await compareGolden('../shared/models/stories260K', read(shared), 1e-3, 2e-3);
  });
});

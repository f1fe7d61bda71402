/** @file The float64 backward pass against PyTorch's: gradient norms and Taylor scores of whole models. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isBias, layerRoles, modelRoles } from '../../model/shape';
import { modelGradients } from '../../numerics/modelBackward';
import './allclose';
import { longTier } from './harness';
import { readModel, type TestModel } from './testWeights';

interface Golden {
  calibration_token_ids: number[][];
  taylor: number[];
  grad_norm: Record<string, number>;
}

const fixtures = fileURLToPath(new URL('../../../tools/golden/fixtures/', import.meta.url));
const readGolden = (path: string): Golden => JSON.parse(readFileSync(path, 'utf8')) as Golden;
const norm = (values: Float64Array): number => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));

function compare({ shape, weights, reference }: TestModel, golden: Golden, rtol: number): void {
  const gradients = modelGradients(shape, reference, golden.calibration_token_ids);
  const norms: Record<string, number> = {};
  for (const role of modelRoles(shape)) norms[weights.modelTensor(role).name] = norm(gradients[role]!);
  const taylor = shape.layers.map((layer) => {
    let sum = 0;
    for (const role of layerRoles(layer)) {
      const gradient = gradients.layers[layer.source]![role]!;
      const weight = reference.layers[layer.source]![role]!;
      norms[weights.layerTensor(role, layer.source).name] = norm(gradient);
      if (isBias(role)) continue; // criteria count none
      gradient.forEach((value, i) => {
        sum += Math.abs(value * weight[i]!);
      });
    }
    return sum;
  });
  const names = Object.keys(golden.grad_norm).sort();
  expect(Object.keys(norms).sort()).toEqual(names);
  expect(names.map((name) => norms[name]!)).toBeAllclose(
    names.map((name) => golden.grad_norm[name]!),
    { rtol, atol: 0 },
  );
  expect(taylor).toBeAllclose(golden.taylor, { rtol, atol: 0 });
}

test.each([
  ...['tiny-a', 'tiny-b', 'tiny-c', 'tiny-llama3', 'tiny-mistral', 'tiny-qwen2', 'tiny-qwen3'],
  ...['tiny-gemma', 'tiny-gemma2', 'tiny-gemma3', 'tiny-olmo2', 'tiny-biases'],
])('%s', (name) => {
  compare(readModel(fixtures + name), readGolden(`${fixtures}${name}/golden.json`), 1e-8);
});

const shared = '../shared/golden/stories260K.json';
describe.skipIf(!existsSync(shared) || !longTier)('skipped when ../shared is not beside the project', () => {
  test('stories260K', () => {
    compare(readModel('../shared/models/stories260K'), readGolden(shared), 1e-6);
  });
});

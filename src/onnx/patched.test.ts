/** @file Graphs of a variant with weights of its own, whatever types its and the base's weights have: against float64. */
import { expect, test } from 'vitest';
import { removeUnits } from '../model/unit';
import { type StoredDtype, toFloat32 } from '../model/weights';
import { f32ToBf16, f32ToF16 } from '../numerics/float16';
import { modelLogits, type ReferenceWeights } from '../numerics/model';
import { createRandom, randomGaussian, randomInt } from '../numerics/random';
import { safetensorsParts } from '../shards/formats/safetensors';
import { narrowed } from '../weights/narrowed';
import { packed } from '../weights/packed';
import { patched } from '../weights/patched';
import { checkPatch } from '../weights/patchFile';
import { widened } from '../weights/widened';
import { checkGraph } from './check';
import { buildGraph, type GraphPrecision, type ModelGraph } from './graph';
import { randomModel, tinyShape } from './testing/randomModel';
import { openGraph } from './testing/runGraph';

const shape = tinyShape([
  [4, 2, 16, 40],
  [4, 2, 16, 40],
  [4, 2, 16, 40],
]);
const random = createRandom(8);
const tokens = Array.from({ length: 20 }, () => randomInt(random, shape.vocab));

function encode(values: Float32Array, dtype: StoredDtype): Uint8Array<ArrayBuffer> {
  if (dtype === 'F32') return new Uint8Array(Float32Array.from(values).buffer);
  return new Uint8Array((dtype === 'F16' ? f32ToF16(values) : f32ToBf16(values)).buffer);
}

/** A model without block 0, whose block 2 has another downProj and a bias that the base lacks, and whose embedding is another. */
async function variantOf(baseType: StoredDtype, ownType: StoredDtype) {
  const base = randomModel(shape, baseType);
  const tensor = (name: string, dims: number[], scale: number) => {
    const count = dims.reduce((a, b) => a * b, 1);
    const data = encode(
      Float32Array.from({ length: count }, () => scale * randomGaussian(random)),
      ownType,
    );
    return { name, dtype: ownType, dims, data, values: toFloat32(data, ownType) };
  };
  const down = tensor('model.layers.2.mlp.down_proj.weight', [32, 40], 0.3);
  const bias = tensor('model.layers.2.self_attn.o_proj.bias', [32], 0.5);
  const embed = tensor('model.embed_tokens.weight', [61, 32], 1);
  const pruned = removeUnits(shape, [{ kind: 'block', layer: 0 }]);
  const target = { base, parent: { shape: pruned, weights: base.weights } };
  const checked = await checkPatch(new Blob(safetensorsParts([down, bias, embed])), target);
  const layers = [...base.reference.layers];
  layers[2] = { ...layers[2], downProj: down.values, oBias: bias.values };
  const reference: ReferenceWeights = { ...base.reference, embed: embed.values, layers };
  return { ...patched(base.weights, checked, checked.fitted), reference, patchName: checked.file };
}

async function errorOf(graph: ModelGraph, { shape: own, reference }: Awaited<ReturnType<typeof variantOf>>) {
  const sizes = graph.externalFiles.map(async (name) => [name, (await graph.file(name)).size] as const);
  expect(checkGraph(graph.model, Object.fromEntries(await Promise.all(sizes)))).toEqual([]);
  const got = await (await openGraph(graph, own)).step([tokens]);
  const want = modelLogits(own, reference, tokens);
  const scale = want.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  return want.reduce((worst, value, i) => Math.max(worst, Math.abs(value - got[i]!)), 0) / scale;
}

const types: [StoredDtype, StoredDtype][] = [
  ['F32', 'F32'],
  ['F32', 'BF16'],
  ['F16', 'F32'],
  ['BF16', 'BF16'],
  ['BF16', 'F32'],
];
const bounds: Record<GraphPrecision, number> = { f32: 1e-5, 'f16-weights': 1e-5, f16: 2e-2 };

test.each(types)('a base in %s with a patch in %s, in every precision', async (baseType, ownType) => {
  const variant = await variantOf(baseType, ownType);
  for (const precision of ['f32', 'f16-weights', 'f16'] as const) {
    const narrowing = precision === 'f16' ? 'rounded' : 'exact';
    const weights = precision === 'f32' ? variant.weights : await narrowed(variant.shape, variant.weights, narrowing);
    const graph = buildGraph(variant.shape, weights, { maxPositions: 64, precision });
    expect.soft(await errorOf(graph, variant), precision).toBeLessThan(bounds[precision]);
  }
});

test('tensors of the base stay in its file, those of the patch in their own; a download has all in one', async () => {
  const variant = await variantOf('F32', 'F32');
  const graph = buildGraph(variant.shape, variant.weights, { maxPositions: 64 });
  expect(graph.externalFiles.toSorted()).toEqual(['model.safetensors', variant.patchName]);
  const whole = packed(variant.shape, widened(variant.shape, variant.weights), 'model.onnx_data');
  const download = buildGraph(variant.shape, whole, { maxPositions: 64 });
  expect(download.externalFiles).toEqual(['model.onnx_data']);
  expect(await errorOf(download, variant)).toBeLessThan(1e-5);
});

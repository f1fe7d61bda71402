import { expect, test } from 'vitest';
import { findingsOf, refuseNonFiniteWeights } from '../model/finiteWeights';
import type { ModelShape } from '../model/shape';
import { ownerOf, type WeightSource } from '../model/weights';
import type { TensorToWrite } from '../shards/formats/safetensors';
import { tinyConfig } from '../shards/testing/tinyModel';
import { patched } from './patched';
import { checkPatch, openPatch } from './patchFile';
import { encode, fileOf, tinySource, tinyTensorsAs } from './testing/tinySource';
import { widened, widenedFile } from './widened';

const name = (layer: number, rest: string): string => `model.layers.${layer}.${rest}`;
const tensor = (called: string, dims: number[], dtype: 'F32' | 'F16' | 'BF16' = 'F32', value = 0.5): TensorToWrite => {
  const values = new Array<number>(dims.reduce((a, b) => a * b, 1)).fill(value);
  return { name: called, dtype, dims, data: encode(values, dtype) };
};
const without = (shape: ModelShape, source: number): ModelShape => ({
  ...shape,
  layers: shape.layers.filter((layer) => layer.source !== source),
});

/** The variant that a patch makes of the tiny model. */
async function variantOf(patch: Blob, base: { shape: ModelShape; weights: WeightSource }, shape = base.shape) {
  const checked = await checkPatch(patch, { base, parent: { shape, weights: base.weights } });
  return { checked, ...patched(base.weights, checked, checked.fitted) };
}

test('tensors of the patch replace the parent’s; the others stay where they are', async () => {
  const base = await tinySource();
  const down = tensor(name(1, 'mlp.down_proj.weight'), [16, 24], 'BF16', 0.25);
  const norm = tensor('model.norm.weight', [16]);
  const { weights, shape, checked } = await variantOf(fileOf(down, norm), base);
  expect(shape).toEqual(base.shape);
  expect(checked.file).toBe(`patch-${checked.sha256}.safetensors`);
  const ref = weights.layerTensor('downProj', 1);
  expect(ref).toMatchObject({ file: checked.file, dtype: 'BF16', dims: [16, 24] });
  expect(await weights.read(ref)).toEqual(down.data);
  expect(await weights.read({ ...ref, begin: ref.begin + 8, end: ref.begin + 20 })).toEqual(
    encode(new Array(6).fill(0.25), 'BF16'),
  );
  expect(await weights.read(weights.modelTensor('finalNorm'))).toEqual(norm.data);
  expect(await weights.file(ref.file)).toBe(checked.blob);
  for (const source of [0, 1]) {
    expect(weights.layerTensor('upProj', source)).toBe(base.weights.layerTensor('upProj', source));
  }
  expect(weights.layerTensor('downProj', 0)).toBe(base.weights.layerTensor('downProj', 0));
  expect(base.weights.layerTensor('downProj', 1).file).toBe('model.safetensors');
});

test('biases that the base lacks become part of the shape, in their block alone', async () => {
  const base = await tinySource();
  const patch = fileOf(tensor(name(1, 'self_attn.o_proj.bias'), [16]), tensor(name(1, 'mlp.down_proj.bias'), [16]));
  const { weights, shape } = await variantOf(patch, base, without(base.shape, 0));
  expect(shape.layers).toEqual([{ ...base.shape.layers[1], biases: ['oBias', 'downBias'] }]);
  expect(weights.layerTensor('downBias', 1).dims).toEqual([16]);
});

test('what equals the parent is left out of the stored file; a patch of nothing else is empty', async () => {
  const base = await tinySource();
  const [first, second] = tinyTensorsAs('F32').filter(({ name: each }) => each.includes('mlp.up_proj'));
  const changed = { ...first!, data: (first!.data as Uint8Array<ArrayBuffer>).slice().fill(1, 0, 1) };
  const { checked, weights } = await variantOf(fileOf(changed, second!), base);
  expect(checked.fitted.tensors.map((each) => each.tensor.name)).toEqual([first!.name]);
  expect(checked.blob.size).toBeLessThan(fileOf(changed, second!).size);
  expect(weights.layerTensor('upProj', 1).file).toBe('model.safetensors');
  const none = await variantOf(fileOf(first!, second!), base);
  expect(none.checked.fitted.tensors).toEqual([]);
  // Of another type the same numbers are other bytes.
  const [narrow] = tinyTensorsAs('BF16').filter(({ name: each }) => each === first!.name);
  expect((await variantOf(fileOf(narrow!), base)).checked.fitted.tensors).toHaveLength(1);
  // What was stored opens again as the same.
  const target = { base, parent: base };
  expect(await openPatch(checked.blob, checked.sha256, target)).toEqual(checked);
});

const ofBlock0 = tensor(name(0, 'mlp.down_proj.weight'), [16, 24]);
test.each<[string, Blob | ((blob: Blob) => Blob), object]>([
  ['no safetensors file', new Blob(['hello, world']), { code: 'bad-safetensors' }],
  ['an empty file', new Blob([]), { code: 'bad-safetensors' }],
  ['a file that is cut off', (blob) => blob.slice(0, blob.size - 1), { code: 'bad-safetensors' }],
  [
    'a name of no tensor',
    fileOf(tensor('lora_A.weight', [16, 24])),
    { code: 'bad-weights', message: /got "lora_A.weight"/ },
  ],
  ['a block that the model lacks', fileOf(tensor(name(2, 'mlp.down_proj.weight'), [16, 24])), { code: 'bad-weights' }],
  [
    'other dimensions',
    fileOf(tensor(name(0, 'mlp.down_proj.weight'), [24, 16])),
    { code: 'bad-weights', message: /downProj of layer 0: expected \[16, 24\].*got \[24, 16\]/ },
  ],
  ['integers', fileOf({ ...ofBlock0, dtype: 'I32' }), { code: 'bad-weights', message: /got I32/ }],
  [
    'a bias of a wrong length',
    fileOf(tensor(name(0, 'mlp.down_proj.bias'), [24])),
    { code: 'bad-weights', message: /expected \[16\]/ },
  ],
  ['a bias of something that has none', fileOf(tensor(name(0, 'input_layernorm.bias'), [16])), { code: 'bad-weights' }],
  [
    'infinity',
    fileOf(tensor(name(0, 'mlp.down_proj.weight'), [16, 24], 'F16', Number.POSITIVE_INFINITY)),
    { code: 'non-finite', message: /down_proj.weight"\[0\]/ },
  ],
  [
    'no number, in a bias',
    fileOf(tensor(name(0, 'mlp.down_proj.bias'), [16], 'F32', Number.NaN)),
    { code: 'non-finite' },
  ],
  [
    'a block that the plan removes',
    fileOf(tensor(name(1, 'mlp.up_proj.weight'), [24, 16])),
    { code: 'bad-weights', message: /block 1, which the plan removes/ },
  ],
])('refuses %s', async (_, patch, { message, ...expected }: { message?: RegExp }) => {
  const base = await tinySource();
  const file = patch instanceof Blob ? patch : patch(fileOf(ofBlock0));
  const said = expect.objectContaining({
    ...expected,
    ...(message ? { message: expect.stringMatching(message) } : {}),
  });
  await expect(variantOf(file, base, without(base.shape, 1))).rejects.toEqual(said);
});

test('names as the checkpoint spells them count like the family’s, but not both', async () => {
  const bare = tinyTensorsAs('F32').map((each) => ({ ...each, name: each.name.replace(/^model\./, '') }));
  const base = await tinySource(bare);
  const own = tensor('layers.0.mlp.down_proj.bias', [16]);
  expect((await variantOf(fileOf(own), base)).shape.layers[0]?.biases).toEqual(['downBias']);
  const both = fileOf(
    tensor(name(0, 'mlp.down_proj.weight'), [16, 24]),
    tensor('layers.0.mlp.down_proj.weight', [16, 24]),
  );
  await expect(variantOf(both, base)).rejects.toMatchObject({
    message: expect.stringContaining('are the same weight'),
  });
});

test('a head that is the embedding is patched as the embedding', async () => {
  const config = { ...tinyConfig, tie_word_embeddings: true };
  const base = await tinySource(tinyTensorsAs('F32', config), config);
  const head = fileOf(tensor('lm_head.weight', [40, 16]));
  await expect(variantOf(head, base)).rejects.toMatchObject({
    code: 'bad-weights',
    remedy: expect.stringContaining('model.embed_tokens.weight'),
  });
  const { weights } = await variantOf(fileOf(tensor('model.embed_tokens.weight', [40, 16])), base);
  expect(weights.modelTensor('embed').file).toMatch(/^patch-/);
});

test('cancelled while it is read', async () => {
  const base = await tinySource();
  const work = checkPatch(fileOf(ofBlock0), { base, parent: base }, { signal: AbortSignal.abort() });
  await expect(work).rejects.toMatchObject({ code: 'aborted' });
});

test('what is made of a shared tensor is made once for base and variants, and goes with the patch for its own', async () => {
  const base = await tinySource(tinyTensorsAs('BF16'));
  const first = await variantOf(fileOf(tensor(name(1, 'mlp.down_proj.weight'), [16, 24], 'BF16')), base);
  const second = await variantOf(fileOf(tensor(name(1, 'mlp.down_proj.weight'), [16, 24], 'BF16', 2)), base);
  await widened(base.shape, base.weights).file(widenedFile);
  base.reads.length = 0;
  const bytes = await Promise.all(
    [first, second].map(async ({ shape, weights }) => {
      const wide = widened(shape, weights);
      const ref = wide.layerTensor('downProj', 1);
      expect(ref).toMatchObject({ dtype: 'F32', file: widenedFile });
      return new Float32Array(await (await wide.file(widenedFile)).slice(ref.begin, ref.end).arrayBuffer());
    }),
  );
  expect(bytes.map(([value]) => value)).toEqual([0.5, 2]);
  expect(base.reads).toEqual([]);
  const own = first.weights.layerTensor('downProj', 1);
  expect(ownerOf(first.weights, own)).not.toBe(ownerOf(second.weights, second.weights.layerTensor('downProj', 1)));
  // Values that are not finite are looked for once, too.
  await refuseNonFiniteWeights(base.shape, base.weights);
  base.reads.length = 0;
  await refuseNonFiniteWeights(first.shape, first.weights);
  expect(base.reads).toEqual([]);
  expect(findingsOf(first.weights).isKnown(own)).toBe(true);
  expect(findingsOf(base.weights).isKnown(own)).toBe(false);
});

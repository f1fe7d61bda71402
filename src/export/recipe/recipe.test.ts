import { expect, test } from 'vitest';
import { variantCase } from '../testing/cases';
import { contentOf, exportSourceOf } from '../testing/source';
import { recipe } from './format';
import write from './write';

async function filesOf(kind: Parameters<typeof variantCase>[1]): Promise<Map<string, string>> {
  const files = await write((await variantCase('tiny-a', kind))!, {});
  const texts = files.map(async (file) => [file.path, new TextDecoder().decode(await contentOf(file))] as const);
  return new Map(await Promise.all(texts));
}

test('the recipe holds the plan, the factors and the shape that its indices belong to', async () => {
  const files = await filesOf('rescaled');
  expect([...files.keys()]).toEqual(['recipe.json', 'apply_recipe.py', 'modeling_secateur.py', 'COMMANDS.md']);
  expect(JSON.parse(files.get('recipe.json')!)).toMatchObject({
    version: 1,
    base: { blocks: 4, heads: 6, kvHeads: 2, headDim: 8, neurons: 44 },
    plan: { removeBlocks: [1] },
    rescalings: [{ before: 1, factor: 1.25 }],
    ownTensors: [],
    model: { family: 'llama', hub: null },
  });
});

test("tensors of a variant's own lie beside it, under their names in the pruned model", async () => {
  const files = await filesOf('biases');
  const { ownTensors } = JSON.parse(files.get('recipe.json')!) as { ownTensors: string[] };
  expect(ownTensors).toEqual(['model.layers.0.self_attn.o_proj.bias', 'model.layers.2.mlp.down_proj.bias']);
  for (const name of ownTensors) expect(files.get('own.safetensors')).toContain(`"${name}"`);
});

test('commands trust the modeling file exactly where the variant needs it', async () => {
  expect((await filesOf('depth')).get('COMMANDS.md')).not.toContain('trust_remote_code');
  expect((await filesOf('depth')).get('COMMANDS.md')).toContain('vllm serve');
  const uneven = (await filesOf('uneven')).get('COMMANDS.md');
  expect(uneven).toContain('dtype=float16,trust_remote_code=True');
  expect(uneven).not.toContain('vllm serve');
});

test('a language model beside a vision tower is refused with the reason', async () => {
  const source = await exportSourceOf('tiny-gemma3');
  expect(recipe.refusal(source)).toBeNull();
  expect(recipe.refusal({ ...source, shape: { ...source.shape, family: 'gemma3' } })?.message).toContain(
    'vision tower',
  );
});

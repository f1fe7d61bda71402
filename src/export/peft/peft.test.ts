/** @file The exported adapter: names, sizes and setting as PEFT reads them, and the refusals. `tools/exports/check_peft.py` loads it. */
import { expect, test } from 'vitest';
import type { RetrainStep, Step } from '../../pruning/variant';
import { adapterCase, loraStep } from '../testing/adapter';
import { contentOf } from '../testing/source';
import { peft } from './format';
import write from './write';

test('factors stand under the names of PEFT, in the order and with the values that they were kept in', async () => {
  const { adapted } = await adapterCase('tiny-a');
  expect(peft.refusal(adapted)).toBeNull();
  const files = await write(adapted, {});
  expect(files.map(({ path }) => path)).toEqual(['adapter_config.json', 'adapter_model.safetensors', 'README.md']);
  const [config, weights, card] = await Promise.all(files.map(contentOf));
  expect(JSON.parse(new TextDecoder().decode(config))).toMatchObject({
    ...{ peft_type: 'LORA', base_model_name_or_path: 'tiny-a-parent', r: 2, lora_alpha: 3, lora_dropout: 0 },
    target_modules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
  });
  const size = Number(new DataView(weights!.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(weights!.subarray(8, 8 + size))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const layers = adapted.shape.layers.length;
  expect(Object.keys(header)).toHaveLength(1 + layers * 14);
  const last = header[`base_model.model.model.layers.${layers - 1}.mlp.down_proj.lora_B.weight`];
  expect(last).toMatchObject({ dtype: 'F32', shape: [adapted.shape.hidden, 2] });
  const [begin, end] = last!.data_offsets;
  const kept = new Uint8Array(await adapted.adapter!.data.arrayBuffer());
  expect(weights!.subarray(8 + size + begin, 8 + size + end)).toEqual(kept.subarray(begin, end));
  expect(new TextDecoder().decode(card)).toContain('Retrained by LoRA (rank 2, alpha 3)');
});

test.each<[string, Step[], string]>([
  ['nothing trained', [], 'was not trained by LoRA'],
  ['all weights trained', [{ ...loraStep, method: 'full' } satisfies RetrainStep], 'was not trained by LoRA'],
  ['factors behind continued pretraining', [{ ...loraStep, method: 'full+lora' }], 'continued pretraining left'],
  ['factors that are not stored', [loraStep], 'not stored'],
])('%s: refused with the reason', async (_, recipe, reason) => {
  const { parent } = await adapterCase('tiny-a');
  const refusal = peft.refusal({ ...parent, recipe });
  expect(refusal?.message).toContain(reason);
  expect(refusal?.remedy).toContain('huggingface');
});

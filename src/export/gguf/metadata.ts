/** @file The header of a variant: sizes that llama.cpp needs, and how the variant was made. */
import type { ModelShape } from '../../model/shape';
import type { ExportDtype, ExportSource } from '../exported';
import { f32, type GgufPairs, string, u32, u32s } from './container';
import type { GgufLayout } from './layout';

/** llama.cpp's numbers of types of files. */
const fileTypes: Readonly<Record<ExportDtype, number>> = { f32: 0, f16: 1, q8_0: 7 };

/** Sizes of the model. In an uneven one, head counts and FFN lengths are lists. */
export function sizes(shape: ModelShape, { architecture, blocks, uneven, headDim, rope }: GgufLayout): GgufPairs {
  const each = (values: readonly number[]) => (uneven ? u32s(values) : u32(values[0]!));
  const pairs: GgufPairs = [
    ['vocab_size', u32(shape.vocab)],
    ['context_length', u32(shape.maxPositions)],
    ['embedding_length', u32(shape.hidden)],
    ['block_count', u32(blocks.length)],
    ['feed_forward_length', each(blocks.map(({ ffn }) => ffn))],
    ['attention.head_count', each(blocks.map(({ heads }) => heads))],
    ['attention.head_count_kv', each(blocks.map(({ kvHeads }) => kvHeads))],
    ['attention.key_length', u32(headDim)],
    ['attention.value_length', u32(headDim)],
    ['attention.layer_norm_rms_epsilon', f32(shape.normEps)],
    ['rope.dimension_count', u32(headDim)],
    ['rope.freq_base', f32(rope.theta)],
  ];
  const { scaling } = rope;
  // Other scalings are the tensor rope_freqs.
  const scaled: GgufPairs =
    scaling?.kind === 'linear'
      ? [
          ['rope.scaling.type', string('linear')],
          ['rope.scaling.factor', f32(scaling.factor)],
        ]
      : [];
  return [...pairs, ...scaled].map(([key, value]) => [`${architecture}.${key}`, value] as const);
}

/** What the file is and how it was made. */
export function facts(source: ExportSource, { architecture }: GgufLayout, dtype: ExportDtype): GgufPairs {
  const { model, plan, recipe, ratio } = source;
  const removed = ratio > 0 ? `, without ${(100 * ratio).toFixed(1)} % of its parameters` : '';
  return [
    ['general.architecture', string(architecture)],
    ['general.type', string('model')],
    ['general.name', string(source.name)],
    ['general.description', string(`${model.source}${removed}. Pruned and written by Secateur.`)],
    ['general.file_type', u32(fileTypes[dtype])],
    ['general.quantization_version', u32(2)],
    ['secateur.source', string(model.source)],
    ['secateur.revision', string(model.revision)],
    ['secateur.variant', string(source.id)],
    ['secateur.plan', string(JSON.stringify(plan))],
    ['secateur.recipe', string(JSON.stringify(recipe))],
  ];
}

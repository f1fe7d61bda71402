/** @file config.json of an exported folder: the model's own, with what pruning changed. */
import { biasNames, blocksField, ownModelType } from '../../model/configBlocks';
import { type Fields, record } from '../../model/configFields';
import { isMlpBias, type LayerShape, type ModelShape } from '../../model/shape';
import type { StoredDtype } from '../../model/weights';
import { stockBiases, whyUneven, writtenArchitecture } from './uneven';

/** Names of the classes in `modeling_secateur.py`. */
const ownClasses = { config: 'SecateurConfig', model: 'SecateurForCausalLM' };

/** transformers' words for stored types. */
export const torchDtypes: Readonly<Record<StoredDtype, string>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/** The indices in the base of the blocks that remain. */
export function keptBlocks(shape: ModelShape, baseShape: ModelShape): number[] {
  return shape.layers.map(({ source }) => baseShape.layers.findIndex((layer) => layer.source === source));
}

/**
 * The configuration of the exported model. All fields of the model's own stay, lists with one entry a block lose the entries of
 * removed blocks, lists of block indices are renumbered.
 * @param raw the model's config.json
 * @param dtype the type that most weights are stored in: written where the file names none
 */
export function exportedConfig(raw: Fields, shape: ModelShape, baseShape: ModelShape, dtype: StoredDtype): Fields {
  const architecture = writtenArchitecture(shape.family);
  const uneven = whyUneven(shape) !== null;
  const { auto_map: _, [blocksField]: __, ...own } = textFields(raw, shape.family);
  const kept = keptBlocks(shape, baseShape);
  const { heads, kvHeads, headDim, ffn } = widest(shape, baseShape);
  return {
    ...byBlock(own, kept, baseShape.layers.length),
    architectures: [uneven ? ownClasses.model : architecture.className],
    model_type: uneven ? ownModelType : architecture.family,
    vocab_size: shape.vocab,
    hidden_size: shape.hidden,
    num_hidden_layers: shape.layers.length,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: headDim,
    intermediate_size: ffn,
    tie_word_embeddings: shape.tiedHead,
    ...(own['torch_dtype'] == null && own['dtype'] == null && { torch_dtype: torchDtypes[dtype] }),
    ...windowFields(own, shape),
    ...(uneven ? ownFields(shape) : biasFields(own, shape)),
  };
}

/** The language model's fields, where the model is more than that: it is written as the language model alone. */
function textFields(raw: Fields, family: string): Fields {
  if (family !== 'gemma3') return raw;
  const above = ['bos_token_id', 'eos_token_id', 'pad_token_id', 'torch_dtype', 'dtype', 'transformers_version'];
  const said = above.filter((name) => raw[name] != null).map((name) => [name, raw[name]] as const);
  return { ...record(raw['text_config']), ...Object.fromEntries(said) };
}

/** The sizes that stand for all blocks: of the widest one, where they differ. */
function widest({ layers }: ModelShape, base: ModelShape): Pick<LayerShape, 'heads' | 'kvHeads' | 'headDim' | 'ffn'> {
  const largest = (all: readonly LayerShape[], size: (layer: LayerShape) => number): LayerShape =>
    all.reduce((best, layer) => (size(layer) > size(best) ? layer : best));
  const heads = ({ heads: count }: LayerShape): number => count;
  const ffn = ({ ffn: count }: LayerShape): number => count;
  const [attention, mlp] = [largest(layers, heads), largest(layers, ffn)];
  const { heads: h, kvHeads, headDim } = attention.heads > 0 ? attention : largest(base.layers, heads);
  return { heads: h, kvHeads, headDim, ffn: mlp.ffn > 0 ? mlp.ffn : largest(base.layers, ffn).ffn };
}

/** Fields with one entry a block, by their names in any family. */
const entryFields = /^(layer_types|layers_block_type|no_rope_layers|.*_per_layer|.*_by_layer)$/;
/** Fields that list block indices. */
const indexFields = /^(mlp_only_layers|full_attention_layers|cross_attention_layers|attn_layer_indices)$/;

/** Fields that say something of each block, without the removed ones. */
function byBlock(fields: Fields, kept: readonly number[], blocks: number): Fields {
  const newIndex = new Map(kept.map((old, now) => [old, now]));
  const changed = Object.entries(fields).map(([name, value]): [string, unknown] => {
    if (Array.isArray(value) && entryFields.test(name) && value.length === blocks) {
      return [name, kept.map((old) => value[old] as unknown)];
    }
    if (Array.isArray(value) && indexFields.test(name)) {
      return [name, value.flatMap((old: unknown) => newIndex.get(old as number) ?? [])];
    }
    if (name === 'per_layer_config' && record(value)) {
      const entries = Object.entries(record(value)!).flatMap(([old, entry]): [string, unknown][] => {
        const now = newIndex.get(Number(old));
        return now === undefined ? [] : [[String(now), entry]];
      });
      return [name, Object.fromEntries(entries)];
    }
    if (name === 'max_window_layers' && typeof value === 'number') {
      // Blocks from this index on may have a window: as many below it stay below it. Beyond the blocks it says nothing.
      return [name, value >= blocks ? value : kept.filter((old) => old < value).length];
    }
    return [name, value];
  });
  return Object.fromEntries(changed);
}

/** Which blocks have a sliding window, in a list: rules that count blocks no longer hold when some are removed. */
function windowFields(own: Fields, { family, layers }: ModelShape): Fields {
  const { windows } = writtenArchitecture(family);
  const counted = windows === 'every-other-layer' || windows === 'all-but-each-nth';
  const chosen = windows === 'chosen-layers' && layers.some(({ window }) => window !== undefined);
  if (!counted && !chosen) return {};
  const types = layers.map(({ window }) => (window === undefined ? 'full_attention' : 'sliding_attention'));
  const pattern = own['sliding_window_pattern'];
  const holds =
    typeof pattern === 'number' &&
    types.every((type, at) => (type === 'full_attention') === ((at + 1) % pattern === 0));
  return { layer_types: types, ...(pattern !== undefined && !holds && { sliding_window_pattern: undefined }) };
}

/** The flags that give every block of transformers' own class its biases. */
function biasFields(own: Fields, shape: ModelShape): Fields {
  const { biases, readsMlpBias } = writtenArchitecture(shape.family);
  const all = stockBiases(shape);
  const flag = (name: string, value: boolean): Fields => (value || own[name] !== undefined ? { [name]: value } : {});
  return {
    ...(biases.when === 'attention_bias' &&
      flag(
        'attention_bias',
        all.some((role) => !isMlpBias(role)),
      )),
    ...(readsMlpBias && flag('mlp_bias', all.some(isMlpBias))),
  };
}

/** What the shipped modeling file, and this program, read of blocks that differ. */
function ownFields({ family, layers }: ModelShape): Fields {
  const names = Object.entries(biasNames);
  return {
    auto_map: {
      AutoConfig: `modeling_secateur.${ownClasses.config}`,
      AutoModelForCausalLM: `modeling_secateur.${ownClasses.model}`,
    },
    [blocksField]: {
      version: 1,
      model_type: writtenArchitecture(family).family,
      num_attention_heads: layers.map(({ heads }) => heads),
      num_key_value_heads: layers.map(({ kvHeads }) => kvHeads),
      intermediate_size: layers.map(({ ffn }) => ffn),
      biases: layers.map(({ heads, ffn, biases = [] }) =>
        names.filter(([, role]) => biases.includes(role) && (isMlpBias(role) ? ffn : heads) > 0).map(([name]) => name),
      ),
    },
  };
}

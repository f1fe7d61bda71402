/**
 * @file The record "secateur" of config.json, which our own exports write where blocks differ: the sizes and biases of each block.
 * It comes from outside like the rest of the file.
 */
import * as v from 'valibot';
import { badConfig, type Fields, parseFields, record, show } from './configFields';
import type { BiasRole, LayerShape } from './shape';

/** `model_type` of a config.json whose record names the family. */
export const ownModelType = 'secateur';
/** Name of the record. */
export const blocksField = 'secateur';

/** Biases by the names of their projections in transformers. */
export const biasNames = {
  q_proj: 'qBias',
  k_proj: 'kBias',
  v_proj: 'vBias',
  o_proj: 'oBias',
  gate_proj: 'gateBias',
  up_proj: 'upBias',
  down_proj: 'downBias',
} as const satisfies Readonly<Record<string, BiasRole>>;
type BiasName = keyof typeof biasNames;
const names = Object.keys(biasNames) as BiasName[];

const most = 1024;
const perBlock = (largest: number) =>
  v.pipe(
    v.array(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(largest))),
    v.minLength(1),
    v.maxLength(most),
  );
const schema = v.object({
  version: v.literal(1),
  num_attention_heads: perBlock(1024),
  num_key_value_heads: perBlock(1024),
  intermediate_size: perBlock(2 ** 20),
  biases: v.pipe(v.array(v.pipe(v.array(v.picklist(names)), v.maxLength(names.length))), v.maxLength(most)),
});

/** What the record says of one block. */
export type BlockSizes = Pick<LayerShape, 'heads' | 'kvHeads' | 'ffn'> & { readonly biases: readonly BiasRole[] };

/** The family that the record names. Throws 'bad-config' where it names none. */
export function familyOfBlocks(raw: Fields): string {
  const family = record(raw[blocksField])?.['model_type'];
  if (typeof family === 'string') return family;
  throw badConfig(`${blocksField}.model_type: expected a family such as 'llama', got ${show(family)}`);
}

/** The blocks that the record describes; null where there is no record. Throws 'bad-config'. */
export function parseBlocks(raw: Fields, blocks: number): readonly BlockSizes[] | null {
  if (raw[blocksField] == null) return null;
  const said = record(raw[blocksField]);
  if (said === null) throw badConfig(`${blocksField}: expected an object, got ${show(raw[blocksField])}`);
  const found = parseFields(schema, said, `${blocksField}: `);
  for (const name of ['num_attention_heads', 'num_key_value_heads', 'intermediate_size', 'biases'] as const) {
    const { length } = found[name];
    if (length !== blocks) {
      throw badConfig(`${blocksField}.${name}: expected one entry for each of the ${blocks} blocks, got ${length}`);
    }
  }
  return found.num_attention_heads.map((heads, block) => {
    const kvHeads = found.num_key_value_heads[block]!;
    const ffn = found.intermediate_size[block]!;
    if (heads === 0 ? kvHeads !== 0 : kvHeads === 0 || heads % kvHeads !== 0) {
      throw badConfig(
        `${blocksField}.num_key_value_heads: block ${block}: expected a divisor of its ${heads} query heads, got ${kvHeads}`,
      );
    }
    if (heads === 0 && ffn === 0) {
      throw badConfig(`${blocksField}: block ${block} has neither attention nor MLP; expected one of them`);
    }
    const biases = [...new Set(found.biases[block])].map((name) => biasNames[name]);
    const misplaced = biases.find((role) => (mlpBiases.has(role) ? ffn : heads) === 0);
    if (misplaced !== undefined) {
      throw badConfig(`${blocksField}.biases: block ${block} has ${misplaced}, but not its sub-block`);
    }
    return { heads, kvHeads, ffn, biases };
  });
}

const mlpBiases: ReadonlySet<BiasRole> = new Set<BiasRole>(['gateBias', 'upBias', 'downBias']);

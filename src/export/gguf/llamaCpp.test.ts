/**
 * @file Exported files in llama.cpp (its WebAssembly build, release b7179), against the float64 reference: probabilities of the
 * next token, and tokens of texts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { readCheckpointFolder } from '../../benchmark/testing/checkpointFolder';
import type { BiasRole, LayerRole, LayerShape } from '../../model/shape';
import type { TensorRef, WeightSource } from '../../model/weights';
import { createRandom, randomGaussian } from '../../numerics/random';
import { openTokenizer } from '../../text/tokenizer';
import { type Cut, sliced } from '../../weights/sliced';
import type { ExportDtype } from '../exported';
import { deviation, engineOf, type GgufModel } from '../testing/ggufEngine';
import type { LlamaCpp } from '../testing/llamaCpp';
import { namedTokens } from '../testing/modelVocabulary';
import type { GgufPairs } from './container';
import { vocabularyPairs } from './vocabulary';

let open: LlamaCpp | null = null;
afterEach(async () => {
  await open?.close();
  open = null;
});

async function opened(...given: Parameters<typeof engineOf>): Promise<LlamaCpp> {
  open = await engineOf(...given);
  return open;
}

const demo = (): GgufModel => readCheckpointFolder('public/demo');
const demoFile = async (file: string): Promise<string | null> =>
  existsSync(`public/demo/${file}`) ? readFileSync(`public/demo/${file}`, 'utf8') : null;
const demoVocabulary = (vocab: number): Promise<GgufPairs> => vocabularyPairs(demoFile, vocab, [1]);

const texts = [
  'Once upon a time, there was a little red hen.',
  '  two  spaces, a tab\tand\n\nlines\n',
  "It's 3.14 o'clock; they'll say \"No!\" – naïve café 日本 👍🏽",
  '',
];

/** Blocks of other head counts and widths; attention or MLP missing; biases as FLAP adds them. */
function uneven({ shape, weights }: GgufModel): GgufModel {
  const heads: readonly (readonly number[])[] = [[0, 1, 2, 3], [0, 1, 2, 3, 4, 5, 6, 7], [2, 3, 6, 7], [], [4, 5]];
  const neurons = [33, 352, 100, 64, 0, 128];
  const biases: readonly BiasRole[] = ['oBias', 'downBias'];
  const cuts: Cut[] = [];
  const layers = shape.layers.slice(0, 6).map((layer, index): LayerShape => {
    const kept = heads[index % heads.length]!;
    const ffn = neurons[index % neurons.length]!;
    const { source, headDim } = layer;
    const channels = (list: readonly number[]): number[] =>
      list.flatMap((head) => Array.from({ length: headDim }, (_, channel) => head * headDim + channel));
    const groups = [...new Set(kept.map((head) => head >> 1))];
    const rows = (role: LayerRole, list: readonly number[]): void => void cuts.push({ role, source, rows: list });
    if (kept.length > 0) {
      rows('qProj', channels(kept));
      rows('kProj', channels(groups));
      rows('vProj', channels(groups));
      cuts.push({ role: 'oProj', source, columns: channels(kept) });
    }
    const stay = Array.from({ length: ffn }, (_, neuron) => neuron);
    if (ffn > 0) {
      rows('gateProj', stay);
      rows('upProj', stay);
      cuts.push({ role: 'downProj', source, columns: stay });
    }
    return { ...layer, heads: kept.length, kvHeads: groups.length, ffn, ...(index % 2 === 0 && { biases }) };
  });
  return { shape: { ...shape, layers }, weights: withBiases(sliced(weights, cuts), shape.hidden) };
}

/** Biases of random values. */
function withBiases(weights: WeightSource, hidden: number): WeightSource {
  const file = 'biases';
  const isBias = (role: LayerRole): boolean => role === 'oBias' || role === 'downBias';
  return {
    ...weights,
    layerTensor(role, source) {
      if (!isBias(role)) return weights.layerTensor(role, source);
      const begin = 4 * hidden * (2 * source + (role === 'oBias' ? 0 : 1));
      return { name: `${role} ${source}`, dtype: 'F32', dims: [hidden], file, begin, end: begin + 4 * hidden };
    },
    async read(ref: TensorRef, signal) {
      if (ref.file !== file) return weights.read(ref, signal);
      const random = createRandom(ref.begin + 1);
      return new Uint8Array(Float32Array.from({ length: hidden }, () => 0.1 * randomGaussian(random)).buffer);
    },
  };
}

describe('the demo', () => {
  const tokens = openTokenizer(
    JSON.parse(readFileSync('public/demo/tokenizer.json', 'utf8')),
    JSON.parse(readFileSync('public/demo/tokenizer_config.json', 'utf8')),
    demo().shape.vocab,
  );
  const sentence = tokens.encode(texts[0]!, { specialTokens: true });

  test('as it is: probabilities and tokens', async () => {
    const engine = await opened(demo(), 'f16', await demoVocabulary(demo().shape.vocab));
    expect(await deviation(engine, demo(), sentence)).toBeLessThan(5e-3);
    for (const text of texts) expect(await engine.tokenize(text)).toEqual(tokens.encode(text));
    expect([engine.bos, engine.eos, engine.addsBos]).toEqual([tokens.bosId, tokens.eosId, tokens.addsBos]);
  });

  test('without some blocks', async () => {
    const whole = demo();
    const layers = whole.shape.layers.filter((_, index) => index % 4 !== 1 && index !== 6);
    const pruned = { ...whole, shape: { ...whole.shape, layers } };
    const engine = await opened(pruned, 'f32', namedTokens(whole.shape.vocab));
    expect(engine.metadata['llama.block_count']).toBe('8');
    expect(await deviation(engine, pruned, sentence)).toBeLessThan(5e-3);
  });

  // q8_0 rounds each weight by up to 0.4 % of the largest of its 32, and llama.cpp rounds activations likewise.
  test.each<[ExportDtype, number]>([
    ['f16', 5e-3],
    ['q8_0', 5e-2],
  ])('uneven, with biases, as %s', async (dtype, bound) => {
    const pruned = uneven(demo());
    const engine = await opened(pruned, dtype, namedTokens(pruned.shape.vocab));
    expect(engine.metadata['general.architecture']).toBe('deci');
    expect(await deviation(engine, pruned, sentence)).toBeLessThan(bound);
  });
});

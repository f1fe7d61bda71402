/** @file Records such as the laboratory makes, at random: every optional field there or not, numbers that JSON lacks included. */

import type { DeviceLabel } from '../../benchmark/deviceLabel';
import type { Evolution } from '../../importance/search/found';
import { projectionRoles } from '../../model/shape';
import type { UnitJson } from '../../model/unit';
import { createRandom, randomInt } from '../../numerics/random';
import { emptyPlan, type PruningPlan } from '../../pruning/plan';
import { repairMethods } from '../../pruning/repairMethods';
import {
  type PatchStep,
  type RepairStep,
  type RetrainStep,
  recipeOf,
  retrainMethods,
  type TrainingText,
} from '../../pruning/variant';
import { headRemovals, type WidthRule, widthMultiples } from '../../pruning/widthRule';
import type { DeviceInfo, ModelInfo } from '../facts';
import type { ModelRecord } from '../record';
import type { ComparisonRow, LatencyResult, PerplexityResult, Runtime } from '../results';
import type { ScoreOptions, Scores, WidthScores } from '../scores';
import type { EvolutionResult, SearchResult } from '../searches';
import type { CalibrationInfo, TextInfo } from '../texts';
import type { TrainingCurves } from '../trainingCurves';
import { randomTasks } from './randomTasks';

const [layers, heads, ffn] = [6, 2, 16];

/** One record; equal seeds make equal ones. */
export function randomRecord(seed: number): ModelRecord {
  const random = createRandom(seed);
  const int = (below: number): number => randomInt(random, below);
  const chance = (): boolean => random() < 0.5;
  const pick = <T>(choices: readonly T[]): T => choices[int(choices.length)] as T;
  const times = <T>(most: number, make: (index: number) => T): T[] =>
    Array.from({ length: int(most + 1) }, (_, i) => make(i));
  const some = <T extends object>(fields: T): Partial<T> =>
    Object.fromEntries(Object.entries(fields).filter(chance)) as Partial<T>;
  const number = (): number => random() * 10 ** (int(9) - 4);
  const hex = (digits: number): string => Array.from({ length: digits }, () => int(16).toString(16)).join('');
  const units = (): number[] => [...Array(layers).keys()].filter(chance);

  const origin = () => ({
    source: pick(['hf:owner/name@c0ffee/data.parquet', 'pasted text', 'built-in', 'größe.txt']),
    protocol: pick(['given', 'stories', 'running text', 'rows', 'joined'] as const),
    start: pick(['none', 'first', 'row', 'every'] as const),
    documents: int(1e6),
    contentHash: hex(16),
    available: pick([null, int(1000)]),
  });
  const label = (): DeviceLabel => ({ adapter: pick(['apple m2', 'CPU']), software: chance(), runtime: 'WGSL engine' });
  const calibration = (): CalibrationInfo => {
    const [samples, seqLen] = [1 + int(20), 2 + int(2048)];
    const tokens = samples * seqLen;
    return {
      corpus: pick(['built-in', 'c4']),
      samples,
      seqLen,
      seed: int(1e9),
      tokens,
      hash: hex(8),
      ...some({ origin: origin() }),
    };
  };
  const text = (): TextInfo => ({
    corpus: 'built-in',
    sequences: int(100),
    seqLen: int(4096),
    hash: hex(8),
    ...some({ origin: origin() }),
  });
  const unit = (): UnitJson => ({ layer: int(layers), part: pick(['block', 'attention', 'mlp'] as const) });
  const step = () => ({ ...unit(), perplexity: pick([number(), Number.POSITIVE_INFINITY]) });
  const barriers = () => ({ first: int(3), last: int(3) });
  const choice = () => ({
    unit: pick(['block', 'attention', 'mlp', 'half'] as const),
    count: int(layers),
    generations: int(100),
    offspring: 1 + int(32),
    survivors: [4, 1],
    tokens: [128, 1280],
    seed: int(1e9),
  });
  const state = () => ({
    removed: times(3, unit),
    trace: times(4, (generation) => ({ generation, kl: number(), evaluations: int(1000) })),
  });
  const passes = () => ({ made: int(1e6), separate: int(1e6) });
  const evolution = (): Evolution => ({
    ...state(),
    choice: choice(),
    perplexity: pick([number(), Number.POSITIVE_INFINITY]),
    passes: passes(),
  });
  const options = (): ScoreOptions =>
    some({
      window: 1 + int(3),
      plus: chance(),
      ...choice(),
      barriers: barriers(),
    });

  /** The order as `removalOrder` makes it: NaN has no place in it. */
  const score = (): Scores => {
    const values = Array.from({ length: layers }, () =>
      pick([number(), number(), number(), Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]),
    );
    const order = [...values.keys()].filter((index) => !Number.isNaN(values[index]));
    order.sort((a, b) => (values[a] === values[b] ? a - b : (values[a] ?? 0) - (values[b] ?? 0)));
    return {
      criterion: pick(['ppl', 'taylor', 'angular', 'sleb', 'evopress'] as const),
      unit: pick(['block', 'attention', 'mlp', 'half'] as const),
      scores: values,
      order,
      protected: [],
      window: 1 + int(2),
      calibration: calibration(),
      milliseconds: number(),
      peakGpuBytes: int(1e9),
      device: label(),
      ...some({
        reference: number(),
        steps: times(3, step),
        evolution: evolution(),
        barriers: barriers(),
        options: options(),
      }),
    };
  };
  const numbers = (most: number): number[] => times(most, () => pick([number(), number(), Number.NaN, -0.5, Infinity]));
  const width = (): WidthScores => ({
    method: pick(['wanda-sp', 'flap', 'llm-pruner', 'magnitude-sp', 'random'] as const),
    heads: Array.from({ length: layers }, () => numbers(4)),
    neurons: Array.from({ length: layers }, () => numbers(16)),
    headUnit: pick(['head', 'kvGroup'] as const),
    calibration: calibration(),
    milliseconds: number(),
    peakGpuBytes: int(1e9),
    device: label(),
    ...some({
      options: some({
        ...{ seed: int(1e9), asPublished: chance(), sequential: chance(), ratio: random() },
        ...{ roundTo: pick(widthMultiples), heads: pick(headRemovals) },
      }),
    }),
  });
  const how = () => ({ complete: chance(), plus: chance(), milliseconds: number(), device: label() });
  const search = (): SearchResult => ({
    steps: times(4, step),
    ...how(),
    calibration: pick([null, calibration()]),
    ...some({ barriers: barriers() }),
  });
  const evolved = (): EvolutionResult => ({
    ...state(),
    asked: { unit: 'half', ...some(choice()) },
    ...pick([
      { perplexity: null, passes: null },
      { perplexity: pick([number(), Number.POSITIVE_INFINITY]), passes: passes() },
    ]),
    barriers: barriers(),
    calibration: pick([null, calibration()]),
    ...how(),
  });

  const loss = (): number => pick([number(), 800, Number.NaN]);
  const perplexity = (runtime: Runtime): PerplexityResult => {
    const meanNll = loss();
    const rest = { tokens: int(1e6), milliseconds: number(), runtime, text: text(), device: label() };
    return {
      perplexity: Math.exp(meanNll),
      meanNll,
      ...rest,
      ...some({ precision: pick(['f32', 'f16-weights', 'f16'] as const) }),
    };
  };
  const ratio = () => ({ ratio: number(), low: number(), high: pick([number(), Number.POSITIVE_INFINITY]) });
  const latency = (batch: number): LatencyResult => ({
    ...{ batch: batch + 1, prefillMs: number(), decodeMsPerToken: number(), latencyMs: number(), throughput: number() },
    ...{ spread: number(), peakBytes: int(1e9), runtime: pick(['ort-wasm', 'ort-webgpu'] as const), promptTokens: 12 },
    ...{ newTokens: 128, runs: 5, warmups: 2, device: label() },
    ...some({
      precision: pick(['f32', 'f16'] as const),
      speedUp: { ...ratio(), against: 'base', decode: pick([null, ratio()]), pairs: 5, inTurns: chance() },
    }),
  });

  const model = `model-${hex(4)}`;
  const keptOf = (end: number) =>
    Array.from({ length: layers }, () => pick([null, [...Array(end).keys()].filter(chance)]));
  const rule = (): WidthRule => ({
    method: pick(['wanda-sp', 'flap', 'llm-pruner', 'magnitude-sp', 'random'] as const),
    ratio: random(),
    ...some({ asPublished: true as const, sequential: chance(), roundTo: pick(widthMultiples) }),
    ...some({ heads: pick(headRemovals), protected: units(), wholeHeads: units(), spared: units() }),
  });
  const plan = (): PruningPlan => ({
    ...emptyPlan(model),
    removeBlocks: units(),
    removeAttention: units(),
    removeMlp: units(),
    ...some({ keepHeads: keptOf(heads), keepNeurons: keptOf(ffn), repair: pick(repairMethods), rule: rule() }),
  });
  const patch = (): PatchStep => ({
    kind: 'patch',
    sha256: hex(64),
    bytes: int(1e9),
    tensors: times(3, (i) => ({ name: `model.layers.${i}.mlp.down_proj.weight`, dtype: 'F32', dims: [4, int(9)] })),
  });
  const { kind: _kind, ...facts } = patch();
  const repair = (): RepairStep => ({
    kind: 'repair',
    method: pick(repairMethods),
    text: { corpus: 'built-in', samples: int(100), seqLen: int(2048), seed: int(1e9), hash: hex(16) },
    ...some({ rescalings: times(3, (before) => ({ before, factor: number() })), patch: facts }),
  });
  const trainingText = (): TrainingText => ({
    ...{ ...repair().text, corpus: pick(['calibration', 'instructions', 'generated', 'my text']) },
    ...some({
      addBosToEvery: chance(),
      ...{ heldOut: random(), source: `hf:o/n@${hex(40)}/data/train*` },
      generated: { temperature: number(), ...some({ topK: 1 + int(99) }) },
    }),
  });
  const retrain = (): RetrainStep => ({
    ...{ kind: 'retrain', method: pick(retrainMethods), text: trainingText() },
    ...{ steps: 1 + int(1e4), batch: 1 + int(64), learningRate: 1e-4 * (1 + int(99)), seed: int(1e9) },
    ...some({
      ...{ patch: facts, tokens: int(1e9), seconds: number(), distill: { temperature: number(), weight: random() } },
      lora: {
        ...{ rank: 1 + int(64), alpha: number(), dropout: random() },
        ...some({ targets: projectionRoles.filter(chance), steps: int(99) }),
      },
    }),
  });
  const curves = (): TrainingCurves => ({
    losses: times(48, (at) => ({ step: 1 + 5 * at, loss: number() })),
    evaluations: times(16, (at) => ({ step: 20 * at, perplexity: pick([number(), Number.POSITIVE_INFINITY]) })),
    ...some({ heldOut: text() }),
  });
  const tasks = randomTasks(seed);
  const row = (variant: string): ComparisonRow => {
    const made = variant === 'base' ? emptyPlan(model) : plan();
    const patched = variant !== 'base' && chance();
    return {
      variant,
      name: pick(['without 1, 2', 'my "best" ✂', '']),
      plan: made,
      parameters: int(1e12),
      ratio: random(),
      layers: 1 + int(layers),
      parent: variant === 'base' ? null : 'base',
      recipe: [...recipeOf(made), ...(patched ? [pick([patch(), repair(), retrain()])] : [])],
      patchBytes: patched ? int(1e6) : 0,
      ...(patched ? some({ patchLost: true as const }) : {}),
      perplexity: some({
        wgsl: perplexity('wgsl'),
        'ort-wasm': perplexity('ort-wasm'),
        'ort-webgpu': perplexity('ort-webgpu'),
      }),
      latency: times(3, latency),
      ...tasks(),
      ...(patched ? some({ training: curves() }) : {}),
    };
  };
  const shape = {
    family: 'llama',
    vocab: 100,
    hidden: 8,
    layers: Array.from({ length: layers }, (_, source) => ({ source, heads, kvHeads: 1, headDim: 4, ffn })),
    normEps: 1e-5,
    ropeTheta: 1e4,
    maxPositions: 128,
    tiedHead: chance(),
  };
  const info: ModelInfo = {
    ...{
      id: model,
      source: pick(['demo', 'files:a', 'https://host/folder/']),
      revision: hex(40),
      architecture: 'llama',
    },
    ...{ shape, parameters: int(1e9), storedBytes: int(1e9), dtype: pick(['F32', 'F16', 'BF16'] as const) },
    ...{ tokenizer: chance(), downloadedBytes: int(1e9), lastUsed: int(1e12), notes: times(2, () => 'A note.') },
    ...some({
      card: { title: 'Demo', ...some({ floorPerplexity: number() }) },
      openingNotes: times(2, () => 'Opened from what is stored.'),
      outdated: true as const,
    }),
  };
  const device: DeviceInfo = {
    ...{ adapter: 'apple m2', identity: hex(8), software: chance(), features: ['shader-f16'] },
    limits: { maxBufferSize: int(1e9), maxBindGroups: 4 },
    ...some({ halfPrecision: true, memoryBytes: int(1e9) }),
  };
  return {
    version: 2,
    created: new Date(int(1e12)).toISOString(),
    program: 'Secateur 0.1.0',
    model: info,
    device: pick([null, device]),
    calibration: pick([null, calibration()]),
    scores: times(4, score),
    widthScores: times(2, width),
    searches: some({ sleb: search(), 'block-pruner': search() }),
    evolution: pick([null, evolved()]),
    comparison: ['base', ...times(3, (index) => `v${index + 1}`)].map(row),
    ...some({ calibrationTokens: times(3, () => times(5, () => int(100))) }),
  };
}

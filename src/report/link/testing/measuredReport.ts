/** @file A report as a long session makes it, at random but like a real one: 40 blocks, five criteria, twelve variants. */
import type { DeviceLabel } from '../../../benchmark/deviceLabel';
import type { Criterion } from '../../../importance/methods';
import { protectedBlocks, removalOrder } from '../../../importance/order';
import { modelParameters } from '../../../model/count';
import type { ModelShape } from '../../../model/shape';
import { createRandom } from '../../../numerics/random';
import { shareError } from '../../../numerics/statistics';
import { applyPlan, estimate } from '../../../pruning/apply';
import { describePlan } from '../../../pruning/describe';
import { emptyPlan, type PruningPlan } from '../../../pruning/plan';
import { recipeOf } from '../../../pruning/variant';
import type { ModelRecord } from '../../record';
import type { ComparisonRow, LatencyResult, TaskResult } from '../../results';
import type { Scores } from '../../scores';
import type { CalibrationInfo, TextInfo } from '../../texts';

const id = 'meta-llama/Llama-2-13b-hf';
const layers = 40;
const shape: ModelShape = {
  ...{ family: 'llama', vocab: 32_000, hidden: 5120, normEps: 1e-5, ropeTheta: 10_000, maxPositions: 4096 },
  layers: Array.from({ length: layers }, (_, source) => ({
    source,
    heads: 40,
    kvHeads: 40,
    headDim: 128,
    ffn: 13_824,
  })),
  tiedHead: false,
};
const adapter = 'nvidia ada';
const engine: DeviceLabel = { adapter, software: false, runtime: 'WGSL engine' };
const runtime: DeviceLabel = { adapter, software: false, runtime: 'onnxruntime-web 1.30.0 webgpu' };
const source =
  'hf:Salesforce/wikitext@b08601e04326c79dfdd32d625aee71d232d685c3/wikitext-2-raw-v1/test-00000-of-00001.parquet';
const calibration: CalibrationInfo = {
  ...{ corpus: 'bookcorpus', samples: 10, seqLen: 128, seed: 0, tokens: 1280, hash: 'c9ec48b8df8f50b9' },
  origin: {
    ...{ source: 'hf:bookcorpus/bookcorpus@28c9ed7/train.parquet', protocol: 'rows', start: 'row', documents: 74_004 },
    ...{ contentHash: 'e76205dab765add3', available: null },
  },
};
const text: TextInfo = {
  ...{ corpus: 'wikitext-2', sequences: 32, seqLen: 2048, hash: '3ce297a826452cc9' },
  origin: {
    source,
    protocol: 'joined',
    start: 'every',
    documents: 2891,
    contentHash: '02afaeea54d88176',
    available: 166,
  },
};

export function measuredReport(variants = 12): ModelRecord {
  const random = createRandom(7);
  const scored = (criterion: Criterion, scale: number): Scores => {
    const scores = Array.from({ length: layers }, () => scale * (0.1 + random()));
    const kept = protectedBlocks(layers);
    return {
      ...{
        criterion,
        unit: 'block',
        scores,
        order: removalOrder(scores, kept),
        protected: kept,
        window: 1,
        calibration,
      },
      ...{ milliseconds: 1e4 * random(), peakGpuBytes: 2e9 * random(), device: engine, options: { plus: true } },
    };
  };
  const row = (index: number): ComparisonRow => {
    const removeBlocks = Array.from({ length: layers }, (_, layer) => layer).filter(() => random() < 0.2);
    const plan: PruningPlan = index === 0 ? emptyPlan(id) : { ...emptyPlan(id), removeBlocks };
    const remaining = applyPlan(shape, plan);
    const meanNll = 1.6 + random();
    const ratio = () => {
      const [middle, reach] = [1 + random(), 1 + random() / 10];
      return { ratio: middle, low: middle / reach, high: middle * reach };
    };
    const latencyMs = 4000 * (1 + random());
    const latency: LatencyResult = {
      ...{
        batch: 1,
        prefillMs: 300 * random(),
        decodeMsPerToken: 30 * random(),
        latencyMs,
        throughput: 128_000 / latencyMs,
      },
      ...{ spread: 10 * random(), peakBytes: 2e10 * random(), runtime: 'ort-webgpu', promptTokens: 12, newTokens: 128 },
      ...{ runs: 20, warmups: 10, device: runtime, precision: 'f16' },
      ...(index === 0 ? {} : { speedUp: { ...ratio(), against: 'base', decode: ratio(), pairs: 20, inTurns: true } }),
    };
    return {
      ...{ variant: index === 0 ? 'base' : `v${index}`, name: describePlan(plan, shape), plan, recipe: recipeOf(plan) },
      ...{ ...estimate(shape, remaining), layers: remaining.layers.length, parent: index === 0 ? null : 'base' },
      ...{ patchBytes: 0, latency: [latency] },
      perplexity: {
        wgsl: {
          ...{ perplexity: Math.exp(meanNll), meanNll, tokens: 32 * 2047, milliseconds: 1e5 * random() },
          ...{ runtime: 'wgsl', text, device: engine },
        },
      },
    };
  };
  return {
    ...{ version: 2, created: '2026-11-29T18:07:50.153Z', program: 'Secateur 0.1.0', calibration, widthScores: [] },
    model: {
      ...{
        id,
        source: id,
        revision: '5c31dfb671ce7cfe2d7bb7c04375e44c55e815b1',
        architecture: 'LlamaForCausalLM',
        shape,
      },
      ...{ parameters: modelParameters(shape), storedBytes: 26_031_739_904, dtype: 'F16', tokenizer: true },
      ...{ downloadedBytes: 0, lastUsed: 1_795_975_130_315, notes: [] },
    },
    device: {
      adapter,
      identity: adapter,
      software: false,
      features: ['shader-f16'],
      limits: { maxBufferSize: 2 ** 32 },
    },
    scores: [
      ...[scored('ppl', 5), scored('taylor', 200), scored('block-influence', 0.3), scored('angular', 0.2)],
      scored('magnitude', 1e7),
    ],
    ...{ searches: {}, evolution: null },
    comparison: Array.from({ length: variants + 1 }, (_, index) => row(index)),
  };
}

/** The report with the results of tasks: each variant was asked the same 100 questions of each. */
export function withTasks(record: ModelRecord, names: readonly string[]): ModelRecord {
  const random = createRandom(11);
  const items = 100;
  const answered = (task: string, at: number): TaskResult => {
    const accuracy = (40 + Math.floor(50 * random())) / items;
    return {
      ...{ task, items, accuracy, accuracyNorm: (40 + Math.floor(50 * random())) / items },
      ...{ standardError: shareError(accuracy, items), hash: `c9ec48b8df8f5${100 + at}`, device: engine },
      milliseconds: 1e4 * (1 + random()),
    };
  };
  return { ...record, comparison: record.comparison.map((row) => ({ ...row, tasks: names.map(answered) })) };
}

/** A session with the built-in demo: every quick criterion and perplexity, the base and two variants with their times. */
export function demoReport(): ModelRecord {
  const session = measuredReport(2);
  const few = <T>(values: readonly T[]): T[] => values.slice(0, 12);
  const demo: ModelShape = {
    ...{
      family: 'llama',
      vocab: 1792,
      hidden: 128,
      normEps: 1e-5,
      ropeTheta: 10_000,
      maxPositions: 256,
      tiedHead: true,
    },
    layers: Array.from({ length: 12 }, (_, source) => ({ source, heads: 8, kvHeads: 4, headDim: 16, ffn: 352 })),
  };
  const origin = { source: 'built-in', protocol: 'stories', start: 'none', documents: 1 } as const;
  const ids = { corpus: 'calibration', samples: 10, seqLen: 128, seed: 1234, tokens: 1280, hash: 'c9ec48b8df8f50b9' };
  const calibrated = { ...ids, origin: { ...origin, contentHash: 'e76205dab765add3', available: null } };
  const evaluated: TextInfo = {
    ...{ corpus: 'evaluation', sequences: 16, seqLen: 128, hash: '3ce297a826452cc9' },
    origin: { ...origin, contentHash: '02afaeea54d88176', available: 168 },
  };
  const wasm: DeviceLabel = { adapter: 'CPU', software: false, runtime: 'onnxruntime-web 1.30.0 wasm, 2 threads' };
  const scored = session.scores.map((each): Scores => {
    const scores = few(each.scores);
    const order = removalOrder(scores);
    return { ...each, scores, order, protected: [], calibration: calibrated, options: { plus: false } };
  });
  const comparison = session.comparison.map((row, index): ComparisonRow => {
    const plan = { ...emptyPlan('demo'), removeBlocks: [[], [1, 2, 4], [2, 4, 7]][index]! };
    const remaining = applyPlan(demo, plan);
    const wgsl = { ...row.perplexity.wgsl!, text: evaluated, tokens: 16 * 127 };
    return {
      ...{ ...row, plan, recipe: recipeOf(plan), name: describePlan(plan, demo), ...estimate(demo, remaining) },
      ...{ layers: remaining.layers.length, perplexity: { wgsl } },
      latency: row.latency.map((result) => ({ ...result, runtime: 'ort-wasm', precision: 'f32', device: wasm })),
    };
  });
  return {
    ...{ ...session, calibration: calibrated, scores: scored, comparison },
    model: {
      ...{ ...session.model, id: 'demo', source: 'demo', revision: '1b75234352be5738', shape: demo },
      ...{ parameters: modelParameters(demo), storedBytes: 5_135_036 },
      card: { title: 'Storybook', floorPerplexity: 1.7354 },
    },
  };
}

/** @file The model of a report, and the device of its session, as places of a link. Blocks of one shape are counted. */
import { modelParameters } from '../../model/count';
import type { BiasRole, LayerShape, ModelShape, RopeScaling, RopeShape } from '../../model/shape';
import type { DeviceInfo, ModelCard, ModelInfo } from '../facts';
import { most } from '../fields';
import {
  type Codec,
  choice,
  figure,
  figures,
  flag,
  list,
  mapped,
  optional,
  type Reader,
  text,
  tuple,
  whole,
} from './codec';

/** As many as a configuration may have. */
export const mostLayers = 1024;

const exact = figure();

/** The numbers of each kind of scaling, in the order of their places. */
const scalingFields = {
  linear: ['factor'],
  llama3: ['factor', 'lowFreqFactor', 'highFreqFactor', 'originalPositions'],
  yarn: ['factor', 'originalPositions', 'betaFast', 'betaSlow', 'attentionFactor'],
} as const satisfies { [K in RopeScaling['kind']]: readonly string[] };

interface WrittenScaling {
  readonly kind: RopeScaling['kind'];
  readonly numbers: number[];
  readonly truncate?: boolean;
}

const scaling: Codec<RopeScaling> = mapped(
  tuple<WrittenScaling>({
    kind: choice(['linear', 'llama3', 'yarn']),
    numbers: figures(undefined, 5),
    truncate: optional(flag),
  }),
  (value) => ({
    kind: value.kind,
    numbers: scalingFields[value.kind].map((field) => (value as unknown as Record<string, number>)[field] ?? 0),
    ...(value.kind === 'yarn' ? { truncate: value.truncate } : {}),
  }),
  ({ kind, numbers, truncate = false }, from) => {
    const fields: readonly string[] | undefined = Object.hasOwn(scalingFields, kind) ? scalingFields[kind] : undefined;
    if (fields?.length !== numbers.length) throw from.misfit('a scaling of the rotary embedding');
    const read = Object.fromEntries(fields.map((field, at) => [field, numbers[at]]));
    return { kind, ...read, ...(kind === 'yarn' ? { truncate } : {}) } as RopeScaling;
  },
);

const rope: Codec<RopeShape> = tuple<RopeShape>({ theta: exact, scaling: optional(scaling) });
const biasRoles: readonly BiasRole[] = ['qBias', 'kBias', 'vBias', 'oBias', 'gateBias', 'upBias', 'downBias'];

/** Blocks in a row that differ only in their index in the checkpoint. `first`: that of the first, unless it is its place. */
interface Run extends Omit<LayerShape, 'source'> {
  readonly count: number;
  readonly first?: number;
}

const run: Codec<Run> = tuple<Run>({
  ...{ count: whole, heads: whole, kvHeads: whole, headDim: whole, ffn: whole, first: optional(whole) },
  ...{ biases: optional(list(choice(biasRoles), biasRoles.length)), qkNorm: optional(choice(['head', 'all'])) },
  ...{ rope: optional(rope), window: optional(whole), attnScale: optional(exact), scoreSoftcap: optional(exact) },
  activation: optional(choice(['gelu_tanh'])),
  normPlacement: optional(choice(['post', 'both'])),
});

function runsOf(layers: readonly LayerShape[]): Run[] {
  const runs: Run[] = [];
  let before = '';
  layers.forEach(({ source, ...layer }, place) => {
    const key = JSON.stringify([source - place, layer]);
    const last = runs.at(-1);
    if (last && key === before) runs[runs.length - 1] = { ...last, count: last.count + 1 };
    else runs.push({ ...layer, count: 1, ...(source === place ? {} : { first: source }) });
    before = key;
  });
  return runs;
}

function layersOf(runs: readonly Run[], from: Reader): LayerShape[] {
  const layers: LayerShape[] = [];
  for (const { count, first = layers.length, ...layer } of runs) {
    if (layers.length + count > mostLayers) throw from.misfit(`at most ${mostLayers} blocks`);
    from.spend(8 * count);
    for (let index = 0; index < count; index++) layers.push({ source: first + index, ...layer });
  }
  return layers;
}

export const shape: Codec<ModelShape> = tuple<ModelShape>({
  family: choice(['llama', 'mistral', 'qwen2', 'qwen3', 'gemma', 'gemma2', 'gemma3_text', 'olmo2']),
  ...{ vocab: whole, hidden: whole, layers: mapped(list(run, mostLayers), runsOf, layersOf) },
  ...{ normEps: exact, ropeTheta: exact, maxPositions: whole, tiedHead: flag },
  ...{ normOffset: optional(exact), embedScale: optional(exact), logitSoftcap: optional(exact) },
});

const card: Codec<ModelCard> = tuple<ModelCard>({ title: text, floorPerplexity: optional(figure(5)) });

/** What a reader sees of a model. What it takes in storage is rounded; what this browser did with it is left out. */
interface WrittenModel
  extends Omit<
    ModelInfo,
    'source' | 'parameters' | 'downloadedBytes' | 'lastUsed' | 'patchBytes' | 'trainingBytes' | 'outdated'
  > {
  /** Absent where it is the id. */
  readonly source?: string;
  /** Absent where the shape gives them. */
  readonly parameters?: number;
}

export const model: Codec<ModelInfo> = mapped(
  tuple<Omit<WrittenModel, 'openingNotes'>>({
    ...{ id: text, revision: text, shape, source: optional(text), parameters: optional(whole) },
    architecture: choice([
      ...['LlamaForCausalLM', 'MistralForCausalLM', 'Qwen2ForCausalLM', 'Qwen3ForCausalLM', 'GemmaForCausalLM'],
      ...['Gemma2ForCausalLM', 'Gemma3ForCausalLM', 'Gemma3ForConditionalGeneration', 'Olmo2ForCausalLM'],
    ]),
    dtype: choice(['F32', 'F16', 'BF16']),
    tokenizer: flag,
    storedBytes: figure(4),
    card: optional(card),
    notes: list(text, most.notes),
  }),
  ({ source, parameters, ...rest }) => ({
    ...rest,
    ...(source === rest.id ? {} : { source }),
    ...(parameters === modelParameters(rest.shape) ? {} : { parameters }),
  }),
  (read) => ({
    ...read,
    source: read.source ?? read.id,
    parameters: read.parameters ?? modelParameters(read.shape),
    downloadedBytes: 0,
    lastUsed: 0,
  }),
);

/** Features and limits stay behind: the adapter's name and how it ran are what a reader compares. */
type WrittenDevice = Pick<DeviceInfo, 'adapter' | 'software' | 'halfPrecision' | 'memoryBytes'>;

export const device: Codec<DeviceInfo> = mapped(
  tuple<WrittenDevice>({
    adapter: choice(['google swiftshader']),
    software: flag,
    halfPrecision: optional(flag),
    memoryBytes: optional(whole),
  }),
  (info) => info,
  (read) => ({ ...read, identity: read.adapter, features: [], limits: {} }),
);

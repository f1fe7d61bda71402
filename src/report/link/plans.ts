/** @file Plans and recipes as places of a link. A plan that several variants share is written once. */
import { projectionRoles } from '../../model/shape';
import { emptyPlan, type KeptByLayer, type PruningPlan } from '../../pruning/plan';
import {
  type DistillSetting,
  type PatchedTensor,
  type PatchFacts,
  type RepairStep,
  type Rescaling,
  type RetrainStep,
  retrainMethods,
  type Step,
  schedules,
  type TrainingSetting,
} from '../../pruning/variant';
import type { WidthRule } from '../../pruning/widthRule';
import { most } from '../fields';
import {
  ascending,
  type Codec,
  choice,
  figure,
  figures,
  flag,
  indices,
  type Json,
  list,
  mapped,
  mark,
  optional,
  shared,
  text,
  tuple,
  whole,
} from './codec';
import { readKept, writeKept } from './sets';
import { repairText, trainingText } from './texts';

export const widthMethod = choice(['wanda-sp', 'flap', 'llm-pruner', 'magnitude-sp', 'random']);
export const headRemoval = choice(['groups', 'within-groups']);
const repairMethod = choice(['flap-bias', 'prune-and-comp', 'replace-me']);

const rule: Codec<WidthRule> = tuple<WidthRule>({
  ...{ method: widthMethod, ratio: figure(), asPublished: mark, sequential: optional(flag) },
  roundTo: optional(whole as Codec<NonNullable<WidthRule['roundTo']>>),
  heads: optional(headRemoval),
  ...{ protected: optional(ascending), wholeHeads: optional(ascending), spared: optional(ascending) },
});

/** One text with an entry for each block, parted by commas: see `sets.ts`. */
function kept(size: 'heads' | 'ffn'): Codec<KeptByLayer> {
  return {
    write: (lists, { model }) =>
      lists.map((each, layer) => writeKept(each, model.shape.layers[layer]?.[size] ?? 0)).join(','),
    read(json, from) {
      const { layers } = from.model.shape;
      const written = from.text(json);
      const parts = written === '' ? layers.map(() => '') : written.split(',');
      if (parts.length !== layers.length) throw from.misfit(`an entry for each of ${layers.length} blocks`);
      return parts.map((part, layer) => {
        const count = layers[layer]![size];
        if (part !== '') from.spend(count);
        const list = readKept(part, count);
        if (list === undefined) throw from.misfit(`indices below ${count}`);
        return list;
      });
    },
  };
}

/** `model` is absent where it is the report's, a list of removed units where it is empty. */
type WrittenPlan = Partial<Omit<PruningPlan, 'version'>>;

const removed = optional(ascending);

export const plan = shared<PruningPlan>(
  mapped(
    tuple<WrittenPlan>({
      ...{ removeBlocks: removed, removeAttention: removed, removeMlp: removed },
      ...{ keepHeads: optional(kept('heads')), keepNeurons: optional(kept('ffn')) },
      ...{ repair: optional(repairMethod), rule: optional(rule), model: optional(text) },
    }),
    ({ model, removeBlocks, removeAttention, removeMlp, ...rest }, to) => ({
      ...rest,
      ...(removeBlocks.length > 0 ? { removeBlocks } : {}),
      ...(removeAttention.length > 0 ? { removeAttention } : {}),
      ...(removeMlp.length > 0 ? { removeMlp } : {}),
      ...(model === to.model.id ? {} : { model }),
    }),
    ({ model, ...read }, from) => ({ ...emptyPlan(model ?? from.model.id), ...read }),
  ),
);

/** Tensors of one name but for the block, of one type and size: most patches hold one or two in every block. */
interface Alike {
  readonly pattern: string;
  readonly dtype: string;
  readonly dims: number[];
  /** The numbers in place of '#', ascending; absent where the name has none. */
  readonly blocks?: readonly number[];
}

const alike: Codec<Alike> = tuple<Alike>({
  pattern: beginningOfTensor(),
  dtype: choice(['F32', 'F16', 'BF16']),
  dims: list(whole, 8),
  blocks: optional(ascending),
});

function beginningOfTensor(): Codec<string> {
  return choice([
    ...['model.layers.#.self_attn.o_proj.bias', 'model.layers.#.mlp.down_proj.bias'],
    ...['model.layers.#.self_attn.o_proj.weight', 'model.layers.#.mlp.down_proj.weight'],
  ]);
}

function grouped(tensors: readonly PatchedTensor[]): Alike[] {
  const groups = new Map<string, Alike & { readonly blocks: number[] }>();
  for (const { name, dtype, dims } of tensors) {
    const [, before = name, block, after = ''] = /^([^#]*?\.)(0|[1-9]\d{0,3})(\.[^#]*)$/.exec(name) ?? [];
    const pattern = block === undefined ? name : `${before}#${after}`;
    const key = JSON.stringify([pattern, block === undefined, dtype, dims]);
    const group = groups.get(key) ?? { pattern, dtype, dims: [...dims], blocks: [] };
    groups.set(key, group);
    if (block !== undefined) group.blocks.push(Number(block));
  }
  return [...groups.values()].map(({ blocks, ...rest }) => {
    const sorted = [...new Set(blocks)].sort((a, b) => a - b);
    return sorted.length > 0 ? { ...rest, blocks: sorted } : rest;
  });
}

const tensors = shared<readonly PatchedTensor[]>(
  mapped(list(alike, most.tensors), grouped, (groups, from) =>
    groups.flatMap(({ pattern, dtype, dims, blocks }) => {
      from.spend((blocks?.length ?? 1) * 8);
      const names = blocks?.map((block) => pattern.replace('#', String(block))) ?? [pattern];
      return names.map((name) => ({ name, dtype, dims }));
    }),
  ),
);

/** 64 bits of the hash tell the patches of a report apart, as those of the texts do. */
const hashDigits = 16;

const facts: Codec<PatchFacts> = mapped(
  tuple<PatchFacts>({ sha256: text, bytes: whole, tensors }),
  ({ sha256, bytes, tensors: list }) => ({ sha256: sha256.slice(0, hashDigits), bytes, tensors: list }),
  (read) => read,
);

interface WrittenRescalings {
  readonly before: number[];
  readonly factors: number[];
}

const rescalings: Codec<readonly Rescaling[]> = mapped(
  tuple<WrittenRescalings>({ before: indices, factors: figures(6, most.steps) }),
  (steps) => ({ before: steps.map(({ before }) => before), factors: steps.map(({ factor }) => factor) }),
  ({ before, factors }, from) => {
    if (before.length !== factors.length) throw from.misfit('as many factors as places');
    return before.map((each, at) => ({ before: each, factor: factors[at]! }));
  },
);

const repair: Codec<Omit<RepairStep, 'kind'>> = tuple<Omit<RepairStep, 'kind'>>({
  method: repairMethod,
  text: repairText,
  rescalings: optional(rescalings),
  patch: optional(facts),
});

type LoraOfStep = NonNullable<RetrainStep['lora']>;

const lora: Codec<LoraOfStep> = tuple<LoraOfStep>({
  ...{ rank: whole, alpha: figure(4), dropout: figure(4) },
  targets: optional(list(choice(projectionRoles), projectionRoles.length)),
  steps: optional(whole),
});

const trainingSetting: Codec<TrainingSetting> = tuple<TrainingSetting>({
  ...{ warmup: optional(whole), schedule: optional(choice(schedules)), clip: optional(figure(4)) },
  ...{ beta1: optional(figure(6)), beta2: optional(figure(6)), weightDecay: optional(figure(4)) },
  ...{ loraLearningRate: optional(figure(4)), stepsAsked: optional(whole) },
});

const retrain: Codec<Omit<RetrainStep, 'kind'>> = tuple<Omit<RetrainStep, 'kind'>>({
  method: choice(retrainMethods),
  text: trainingText,
  ...{ steps: whole, batch: whole, learningRate: figure(4), seed: whole },
  patch: optional(facts),
  lora: optional(lora),
  distill: optional(tuple<DistillSetting>({ temperature: figure(4), weight: figure(4) })),
  tokens: optional(whole),
  seconds: optional(figure(4)),
  setting: optional(trainingSetting),
});

/** Pruning is the index of its plan; the others say by their length which they are. */
const step: Codec<Step> = {
  write(value, to) {
    if (value.kind === 'prune') return plan.write(value.plan, to);
    if (value.kind === 'patch') return [facts.write(value, to)];
    return value.kind === 'repair' ? [0, repair.write(value, to)] : [0, 0, retrain.write(value, to)];
  },
  read(json, from) {
    if (typeof json === 'number') return { kind: 'prune', plan: plan.read(json, from) };
    const items: readonly Json[] = from.list(json, 3);
    const last = items.at(-1) ?? 0;
    if (items.length === 1) return { kind: 'patch', ...facts.read(last, from) };
    if (items.length === 3) return { kind: 'retrain', ...retrain.read(last, from) };
    return { kind: 'repair', ...repair.read(last, from) };
  },
};

export const recipe: Codec<readonly Step[]> = list(step, most.steps) as Codec<readonly Step[]>;
export const planTables = { tensors, plan };

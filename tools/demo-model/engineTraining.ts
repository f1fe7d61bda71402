/** @file The demo model's recipe by Secateur's own full training: the same weights, rows, optimizer and schedule as train.py --adamw. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Engine } from '../../src/engine/engine';
import type { GpuContext } from '../../src/engine/gpu/device';
import { parseConfig } from '../../src/model/config';
import {
  type LayerRole,
  layerWeightDims,
  type ModelRole,
  type ModelShape,
  modelWeightDims,
} from '../../src/model/shape';
import type { TensorRef, WeightSource } from '../../src/model/weights';
import { WrittenWeights } from '../../src/weights/written';

/** As in optimizer.py. */
const optimizer = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 };
const clip = 1;
/** As in train.py. */
const warmUp = 100;
const embedStd = 0.05;

/** The roles of a block, in the order of the flat vector of model.py. */
const blockRoles: readonly LayerRole[] = [
  ...(['attnNorm', 'qProj', 'kProj', 'vProj', 'oProj'] as const),
  ...(['mlpNorm', 'gateProj', 'upProj', 'downProj'] as const),
];

export interface Recipe {
  readonly learningRate: number;
  readonly stableSteps: number;
  readonly decaySteps: number;
  readonly weightDecay: number;
}

interface FlatTensor {
  readonly role: LayerRole | ModelRole;
  /** Null outside of blocks. */
  readonly layer: number | null;
  readonly dims: readonly number[];
  readonly first: number;
  readonly count: number;
}

export function demoShape(): ModelShape {
  const path = fileURLToPath(new URL('../../public/demo/config.json', import.meta.url));
  return parseConfig(JSON.parse(readFileSync(path, 'utf8'))).shape;
}

/** Where the tensors lie in the flat vector, as `layout` of model.py. */
function layout(shape: ModelShape): FlatTensor[] {
  const all: [FlatTensor['role'], number | null, readonly number[]][] = [
    ['embed', null, modelWeightDims(shape, 'embed')],
    ...shape.layers.flatMap((layer, index) =>
      blockRoles.map((role): [LayerRole, number, readonly number[]] => [
        role,
        index,
        layerWeightDims(shape, layer, role),
      ]),
    ),
    ['finalNorm', null, modelWeightDims(shape, 'finalNorm')],
  ];
  let first = 0;
  return all.map(([role, layer, dims]) => {
    const count = dims.reduce((a, b) => a * b, 1);
    first += count;
    return { role, layer, dims, first: first - count, count };
  });
}

/** The same start as `hashed` of model.py, to the last bit: uniform weights from a hash of their place. */
export function hashedStart(shape: ModelShape, seed: number): Float32Array<ArrayBuffer> {
  const tensors = layout(shape);
  const { first, count } = tensors.at(-1)!;
  const flat = new Float32Array(first + count);
  for (const tensor of tensors) {
    if (tensor.dims.length === 1) {
      flat.fill(1, tensor.first, tensor.first + tensor.count);
      continue;
    }
    let std = tensor.role === 'embed' ? embedStd : tensor.dims[1]! ** -0.5;
    if (tensor.role === 'oProj' || tensor.role === 'downProj') std /= Math.sqrt(2 * shape.layers.length);
    const scale = Math.sqrt(3) * std;
    for (let at = tensor.first; at < tensor.first + tensor.count; at++) flat[at] = (2 * uniform(at, seed) - 1) * scale;
  }
  return flat;
}

/** In (0, 1): MurmurHash3's last step, a public formula. */
function uniform(at: number, seed: number): number {
  let x = (at + Math.imul(seed, 0x9e3779b9)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (((x ^ (x >>> 16)) >>> 0) + 0.5) / 2 ** 32;
}

/** @param step counts from 0; as `learning_rate` of train.py */
export function learningRate(step: number, { learningRate: peak, stableSteps, decaySteps }: Recipe): number {
  return peak * Math.min(1, (step + 1) / warmUp, Math.max(0, (stableSteps + decaySteps - step) / decaySteps));
}

/** The weights of a flat vector. */
function weightsOf(shape: ModelShape, flat: Float32Array<ArrayBuffer>): WeightSource {
  const refs = new Map(
    layout(shape).map(({ role, layer, dims, first, count }): [string, TensorRef] => {
      const name = layer === null ? role : `${role} ${layer}`;
      return [name, { name, dtype: 'F32', dims, file: 'start', begin: 4 * first, end: 4 * (first + count) }];
    }),
  );
  const file = new Blob([flat]);
  return {
    layerTensor: (role, source) => refs.get(`${role} ${source}`)!,
    modelTensor: (role) => refs.get(role)!,
    read: async ({ begin, end }) => new Uint8Array(await file.slice(begin, end).arrayBuffer()),
    file: async () => file,
  };
}

/** Trains from `start`, in place; `rows` gives the token ids of a step, each row one more than are predicted. */
export async function trainDemo(
  context: GpuContext,
  start: Float32Array<ArrayBuffer>,
  steps: number,
  rows: (step: number) => number[][],
  recipe: Recipe,
  onStep: (step: number, loss: number) => void,
): Promise<void> {
  const shape = demoShape();
  const weights = new WrittenWeights(weightsOf(shape, start), 'trained');
  const writeBack: WrittenWeights['writeBack'] = (source, pieces) => weights.writeBack(source, pieces);
  const engine = await Engine.create(context, { shape, weights, writeBack });
  const trainer = engine.trainer();
  try {
    for (let step = 0; step < steps; step++) {
      const rate = learningRate(step, recipe);
      const { loss } = await trainer.step(rows(step), {
        optimizer: { ...optimizer, learningRate: rate, weightDecay: recipe.weightDecay },
        decay: 'matrices',
        clip,
      });
      onStep(step, loss);
    }
    const places = new Map(
      layout(shape).map(({ role, layer, first }) => [layer === null ? role : `${layer} ${role}`, first]),
    );
    await trainer.save(async ({ key, kind, first, values }) => {
      if (kind === 'weight') start.set(values, places.get(key)! + first);
    });
  } finally {
    trainer.close();
    engine.dispose();
  }
}

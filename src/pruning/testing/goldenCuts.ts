/** @file For tests: PyTorch's numbers of the golden checkpoints, pruned in width and repaired. See tools/golden/README.md. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readModel, type TestModel } from '../../engine/testing/testWeights';
import { bytesPerElement } from '../../model/weights';
import { safetensorsParts, type TensorToWrite } from '../../shards/formats/safetensors';
import { patched } from '../../weights/patched';
import { checkPatch } from '../../weights/patchFile';
import { pruned, type Weighted } from '../cuts';
import { checkPlan, type KeptByLayer, type PruningPlan, planOfUnits } from '../plan';

const fixtures = fileURLToPath(new URL('../../../tools/golden/fixtures/', import.meta.url));

export const goldenNames = [
  ...['tiny-a', 'tiny-b', 'tiny-c', 'tiny-llama3', 'tiny-mistral', 'tiny-qwen2', 'tiny-qwen3'],
  ...['tiny-gemma', 'tiny-gemma2', 'tiny-gemma3', 'tiny-olmo2', 'tiny-biases'],
];

/** What PyTorch says of one pruned model. */
export interface CutNumbers {
  readonly mean_nll: number;
  /** The first logits at each place of `logits_at`. */
  readonly logits: readonly (readonly number[])[];
}

export interface WidthCut extends CutNumbers {
  readonly method: 'wanda-sp' | 'wanda-sp-sequential' | 'flap' | 'llm-pruner' | 'magnitude-sp';
  /** The share of each layer's units, or of all layers' together for flap. */
  readonly share: number;
  readonly heads_by: 'groups' | 'within-groups' | 'none';
  readonly keepHeads: KeptByLayer;
  readonly keepNeurons: KeptByLayer;
  /** Parameters that remain. */
  readonly parameters: number;
  /** The same with FLAP's biases. */
  readonly flap_bias: CutNumbers;
}

export interface DepthCut {
  readonly removed: number;
  readonly without: CutNumbers;
  readonly prune_and_comp?: CutNumbers & { readonly alpha: number; readonly stored: CutNumbers };
  readonly replace_me?: CutNumbers & { readonly stored: CutNumbers };
}

export interface GoldenCuts {
  readonly model: TestModel;
  readonly sequences: number[][];
  /** [sequence, position] */
  readonly logitsAt: readonly (readonly [number, number])[];
  readonly width: readonly WidthCut[];
  readonly depth: DepthCut;
  /** Means of the inputs of oProj and downProj, by layer. */
  readonly baselines: { readonly o: number[][]; readonly down: number[][] };
}

/** A golden checkpoint with the numbers of its pruned forms. */
export function readCuts(name: string): GoldenCuts {
  const read = (file: string): unknown => JSON.parse(readFileSync(`${fixtures}${name}/${file}`, 'utf8'));
  const cuts = read('cuts.json') as { logits_at: [number, number][]; depth: DepthCut };
  const golden = read('golden.json') as {
    calibration_token_ids: number[][];
    flap: { baseline_o: number[][]; baseline_down: number[][] };
  };
  return {
    model: readModel(fixtures + name),
    sequences: golden.calibration_token_ids,
    logitsAt: cuts.logits_at,
    width: Object.values(cuts as object).filter(isWidthCut),
    depth: cuts.depth,
    baselines: { o: golden.flap.baseline_o, down: golden.flap.baseline_down },
  };
}

const isWidthCut = (value: unknown): value is WidthCut =>
  typeof value === 'object' && value !== null && 'keepNeurons' in value;

/** The plan of a cut, checked as one from outside. */
export function planOfCut({ shape }: TestModel, { keepHeads, keepNeurons }: WidthCut): PruningPlan {
  return checkPlan(planOfUnits('golden', [], { keepHeads, keepNeurons }), 'golden', shape);
}

/** A matrix of which a cut loses columns. */
interface Lost {
  readonly role: 'oProj' | 'downProj';
  readonly bias: 'oBias' | 'downBias';
  /** Hugging Face's name within the block. */
  readonly name: string;
  /** Columns before the cut, and those of them that it loses. */
  readonly columns: number;
  readonly lost: readonly number[];
  /** Where the means of its inputs are. */
  readonly mean: 'o' | 'down';
}

/** What a cut loses of a layer. */
function lostColumns({ shape }: TestModel, cut: WidthCut, layer: number): Lost[] {
  const { heads, headDim, ffn } = shape.layers[layer]!;
  const queries = new Set(cut.keepHeads[layer]);
  const neurons = new Set(cut.keepNeurons[layer]);
  const lost = (count: number, stays: (column: number) => boolean) =>
    Array.from({ length: count }, (_, column) => column).filter((column) => !stays(column));
  return [
    {
      ...{ role: 'oProj', bias: 'oBias', name: 'self_attn.o_proj', columns: heads * headDim, mean: 'o' },
      lost: lost(heads * headDim, (column) => queries.has(Math.floor(column / headDim))),
    },
    {
      ...{ role: 'downProj', bias: 'downBias', name: 'mlp.down_proj', columns: ffn, mean: 'down' },
      lost: lost(ffn, (neuron) => neurons.has(neuron)),
    },
  ];
}

/** FLAP's biases of a cut, from PyTorch's means: what the lost columns added on average. */
function flapBiases({ model, baselines }: GoldenCuts, cut: WidthCut): TensorToWrite[] {
  const { hidden } = model.shape;
  return model.shape.layers.flatMap((_, layer) =>
    lostColumns(model, cut, layer).flatMap(({ role, bias, name, columns, mean, lost }): TensorToWrite[] => {
      if (lost.length === 0) return [];
      const weights = model.reference.layers[layer]!;
      const values = Float32Array.from({ length: hidden }, (__, row) =>
        lost.reduce(
          (sum, column) => sum + weights[role]![row * columns + column]! * baselines[mean][layer]![column]!,
          weights[bias]?.[row] ?? 0,
        ),
      );
      const data = new Uint8Array(values.buffer);
      return [{ name: `model.layers.${layer}.${name}.bias`, dtype: 'F32', dims: [hidden], data }];
    }),
  );
}

/** The base's matrices with zeros in the columns that a cut loses. */
function zeroedMatrices({ model }: GoldenCuts, cut: WidthCut): Promise<TensorToWrite[]> {
  const each = model.shape.layers.flatMap((_, layer) =>
    lostColumns(model, cut, layer).map(async ({ role, name, columns, lost }) => {
      const tensor = model.weights.layerTensor(role, layer);
      const data = await model.weights.read(tensor);
      const size = bytesPerElement[tensor.dtype];
      for (let row = 0; row < model.shape.hidden; row++) {
        for (const column of lost) data.fill(0, (row * columns + column) * size, (row * columns + column + 1) * size);
      }
      return { name: `model.layers.${layer}.${name}.weight`, dtype: tensor.dtype, dims: tensor.dims, data };
    }),
  );
  return Promise.all(each);
}

async function withTensors(golden: GoldenCuts, parent: Weighted, tensors: readonly TensorToWrite[]): Promise<Weighted> {
  const patch = await checkPatch(new Blob(safetensorsParts(tensors)), { base: golden.model, parent });
  return patched(parent.weights, patch, patch.fitted);
}

/** The model of a cut by rows and columns. */
export const cutModel = ({ model }: GoldenCuts, cut: WidthCut): Weighted => pruned(model, planOfCut(model, cut));

/** The same with FLAP's biases as a patch. */
export async function biasedModel(golden: GoldenCuts, cut: WidthCut): Promise<Weighted> {
  return withTensors(golden, cutModel(golden, cut), flapBiases(golden, cut));
}

/** The whole model with zeroed columns in place of the cut, as a patch. */
export async function maskedModel(golden: GoldenCuts, cut: WidthCut): Promise<Weighted> {
  return withTensors(golden, golden.model, await zeroedMatrices(golden, cut));
}

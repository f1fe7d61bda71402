/** @file What a model needs of a GPU, before its weights are there: pure arithmetic on its shape. */
import { modelParameters } from './count';
import { type LayerShape, layerRoles, layerWeightDims, type ModelShape, modelRoles, modelWeightDims } from './shape';
import { bytesPerElement, type StoredDtype } from './weights';

/** All in bytes. */
export interface MemoryPlan {
  readonly dtype: StoredDtype;
  /** Embedding, final norm and, unless it is the embedding, the head: they stay on the GPU. */
  readonly vocabularyBytes: number;
  /** The largest block. */
  readonly blockBytes: number;
  /** All blocks. */
  readonly blocksBytes: number;
  /** What the calibration tokens take beside the weights. */
  readonly activationBytes: number;
  /** Tokens that `activationBytes` is for. */
  readonly tokens: number;
  /** Everything on the GPU at once. */
  readonly wholeBytes: number;
  /** The least that an analysis needs: two blocks, one at work and the next on its way. */
  readonly streamedBytes: number;
  /** The largest piece that must be bound whole. Embedding and head are cut by rows and are none. */
  readonly binding: {
    readonly bytes: number;
    readonly what: 'q, k and v' | 'gate and up';
    readonly dims: readonly number[];
  };
  /** The benchmark's session: ONNX Runtime holds all weights as F32. */
  readonly onnxBytes: number;
}

/** What a GPU gives; null where that is not known. */
export interface GpuBudget {
  /** The smaller of maxStorageBufferBindingSize and maxBufferSize. */
  readonly bindingBytes: number | null;
  /** Memory that the page may use. WebGPU does not report it, so the user sets a limit. */
  readonly budgetBytes: number | null;
}

/** 'whole': all blocks at once; 'streamed': two at a time; else what it is that does not fit. */
export type GpuFit = 'whole' | 'streamed' | 'over-budget' | 'over-binding';

/** The default calibration set: 10 sequences of 128 tokens. */
const calibrationTokens = 1280;
/** The logits' gradients of one chunk of the vocabulary. */
const logitBytes = 2 ** 24;
/** A batch of the backward pass has no activation wider than this. */
const batchBytes = 2 ** 27;
const f32 = 4;
/** Where wasm's 32-bit addresses end. */
export const wasmBytes = 2 ** 32;

/** What a model of `shape` whose weights are stored as `dtype` needs for an analysis of so many tokens. */
export function memoryPlan(shape: ModelShape, dtype: StoredDtype, { tokens = calibrationTokens } = {}): MemoryPlan {
  const weight = (dims: readonly number[]): number => {
    const elements = dims.reduce((a, b) => a * b, 1);
    return elements * (dims.length === 1 ? f32 : bytesPerElement[dtype]); // vectors lie on the GPU as float32
  };
  const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);
  const vocabularyBytes = sum(modelRoles(shape).map((role) => weight(modelWeightDims(shape, role))));
  const blocks = shape.layers.map((layer) =>
    sum(layerRoles(layer).map((role) => weight(layerWeightDims(shape, layer, role)))),
  );
  const [blockBytes, blocksBytes] = [Math.max(...blocks), sum(blocks)];
  const activationBytes = activations(shape, tokens);
  return {
    dtype,
    vocabularyBytes,
    blockBytes,
    blocksBytes,
    activationBytes,
    tokens,
    wholeBytes: vocabularyBytes + blocksBytes + activationBytes,
    streamedBytes: vocabularyBytes + 2 * blockBytes + activationBytes,
    binding: largestBinding(shape, bytesPerElement[dtype]),
    onnxBytes: f32 * modelParameters(shape),
  };
}

/** What the model's files say about the type of its weights: those of 16 bits count as F16. */
export function dtypeOfBytes(weightBytes: number, parameters: number): StoredDtype {
  // Some checkpoints hold a copy of a tied head beside the embedding: half as much again at the most.
  return weightBytes / parameters > 3.2 ? 'F32' : 'F16';
}

/** Whether and how a model fits. */
export function gpuFit(plan: MemoryPlan, { bindingBytes, budgetBytes }: GpuBudget): GpuFit {
  if (bindingBytes !== null && plan.binding.bytes > bindingBytes) return 'over-binding';
  if (budgetBytes === null || plan.wholeBytes <= budgetBytes) return 'whole';
  return plan.streamedBytes <= budgetBytes ? 'streamed' : 'over-budget';
}

/**
 * The largest of the criteria, Taylor's: the input of every block for all tokens, and what one batch keeps within a
 * block on its way forward and backward. A removal sweep holds as many states of the stream.
 */
function activations({ hidden, layers }: ModelShape, tokens: number): number {
  const widths = layers.map(({ heads, kvHeads, headDim, ffn }) => {
    const [q, kv] = [heads * headDim, kvHeads * headDim];
    return { kept: 3 * hidden + 2 * q + 2 * kv + 3 * ffn, widest: Math.max(hidden, q + 2 * kv, 2 * ffn) };
  });
  const widest = Math.max(...widths.map((each) => each.widest));
  const kept = Math.max(...widths.map((each) => each.kept));
  const batch = Math.min(tokens, Math.floor(batchBytes / (f32 * widest)));
  return f32 * (tokens * (layers.length + 2) * hidden + 2 * batch * kept) + logitBytes;
}

/** The engine joins q, k, v and gate, up of a block. */
function largestBinding({ hidden, layers }: ModelShape, elementBytes: number): MemoryPlan['binding'] {
  const joined = layers.flatMap(({ heads, kvHeads, headDim, ffn }: LayerShape) => [
    { what: 'q, k and v' as const, dims: [(heads + 2 * kvHeads) * headDim, hidden] },
    { what: 'gate and up' as const, dims: [2 * ffn, hidden] },
  ]);
  const sized = joined.map((each) => ({ ...each, bytes: each.dims[0]! * hidden * elementBytes }));
  return sized.reduce((most, each) => (each.bytes > most.bytes ? each : most));
}

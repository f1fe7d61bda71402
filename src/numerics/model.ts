/**
 * @file A whole forward pass of LLaMA or a family after it in float64: the reference of the engine.
 *
 * The shapes are written here structurally, so that this room depends on none: every ModelShape is one.
 */

import { type LowRank, lowRank } from './adapter';
import type { Floats } from './arrays';
import { attention } from './attention';
import { cappedLogits, crossEntropy } from './crossEntropy';
import { embedding } from './embedding';
import { geglu } from './geglu';
import { linear } from './linear';
import { rmsnorm } from './rmsnorm';
import { type RopeShape, rope } from './rope';
import { swiglu } from './swiglu';
import type { TokenSequences } from './tokens';

export interface ReferenceLayer {
  readonly source: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly ffn: number;
  readonly window?: number;
  readonly rope?: RopeShape;
  readonly biases?: readonly string[];
  readonly qkNorm?: string;
  readonly attnScale?: number;
  readonly scoreSoftcap?: number;
  readonly activation?: string;
  readonly normPlacement?: string;
}

export interface ReferenceShape {
  readonly hidden: number;
  readonly layers: readonly ReferenceLayer[];
  readonly normEps: number;
  readonly ropeTheta: number;
  readonly normOffset?: number;
  readonly embedScale?: number;
  readonly logitSoftcap?: number;
}

/** Weights of one block by role; those of an absent sub-block, bias or norm are never read. */
export interface ReferenceLayerWeights {
  readonly attnNorm: Floats;
  readonly qProj: Floats;
  readonly kProj: Floats;
  readonly vProj: Floats;
  readonly qBias: Floats;
  readonly kBias: Floats;
  readonly vBias: Floats;
  readonly qNorm: Floats;
  readonly kNorm: Floats;
  readonly oProj: Floats;
  readonly oBias: Floats;
  readonly postAttnNorm: Floats;
  readonly mlpNorm: Floats;
  readonly gateProj: Floats;
  readonly gateBias: Floats;
  readonly upProj: Floats;
  readonly upBias: Floats;
  readonly downProj: Floats;
  readonly downBias: Floats;
  readonly postMlpNorm: Floats;
}

export interface ReferenceWeights {
  readonly embed: Floats;
  readonly finalNorm: Floats;
  /** Absent when the head is tied: then the embedding is the head. */
  readonly lmHead?: Floats;
  /** By `ReferenceLayer.source`. */
  readonly layers: readonly Partial<ReferenceLayerWeights>[];
  /** What is added to projections, by `ReferenceLayer.source`; gradients of whole models do not know of it. */
  readonly adapters?: readonly (ReferenceAdapters | undefined)[];
}

type Projected = 'qProj' | 'kProj' | 'vProj' | 'oProj' | 'gateProj' | 'upProj' | 'downProj';

/** Low-rank factors beside the projections of a block, by role. */
export type ReferenceAdapters = { readonly [role in Projected]?: LowRank };

/** The residual stream [seqLen, hidden] before the first block and after each: h_0 … h_L, before the final norm. */
export function hiddenStates(
  shape: ReferenceShape,
  weights: ReferenceWeights,
  tokens: readonly number[],
): Float64Array[] {
  return subBlockStates(shape, weights, tokens).filter((_, index) => index % 2 === 0);
}

/** The same with the states between attention and MLP: h_0, behind the first attention, h_1, … h_L. */
export function subBlockStates(
  shape: ReferenceShape,
  weights: ReferenceWeights,
  tokens: readonly number[],
): Float64Array[] {
  const { embedScale = 1 } = shape;
  const embedded = embedding(tokens, weights.embed, shape.hidden).map((value) => value * embedScale);
  const states: Float64Array[] = [embedded];
  for (const layer of shape.layers) {
    const own = { ...weights.layers[layer.source], adapters: weights.adapters?.[layer.source] };
    states.push(attentionForward(shape, layer, own, states.at(-1)!));
    states.push(mlpForward(shape, layer, own, states.at(-1)!));
  }
  return states;
}

/** logits[seqLen, vocab] for one sequence. */
export function modelLogits(shape: ReferenceShape, weights: ReferenceWeights, tokens: readonly number[]): Float64Array {
  return cappedLogits(finalHidden(shape, weights, tokens), headOf(weights), shape.hidden, shape.logitSoftcap);
}

/** nll[seqLen − 1]: of each token after the first, given those before it. */
export function modelNll(shape: ReferenceShape, weights: ReferenceWeights, tokens: readonly number[]): Float64Array {
  const x = finalHidden(shape, weights, tokens);
  return crossEntropy(x, headOf(weights), tokens.slice(1), shape.hidden, shape.logitSoftcap);
}

/** Mean NLL over all predicted tokens of all sequences; its exponential is the perplexity. */
export function modelMeanNll(shape: ReferenceShape, weights: ReferenceWeights, sequences: TokenSequences): number {
  let sum = 0;
  let tokens = 0;
  for (const sequence of sequences) {
    for (const nll of modelNll(shape, weights, sequence)) sum += nll;
    tokens += sequence.length - 1;
  }
  return sum / tokens;
}

function headOf(weights: ReferenceWeights): Floats {
  return weights.lmHead ?? weights.embed;
}

function finalHidden(shape: ReferenceShape, weights: ReferenceWeights, tokens: readonly number[]): Float64Array {
  return rmsnorm(hiddenStates(shape, weights, tokens).at(-1)!, weights.finalNorm, shape.normEps, shape.normOffset);
}

type HeldWeights = (Partial<ReferenceLayerWeights> & { readonly adapters?: ReferenceAdapters | undefined }) | undefined;

function held(layer: ReferenceLayer, weights: HeldWeights, role: keyof ReferenceLayerWeights): Floats {
  const found = weights?.[role];
  if (found === undefined) throw new RangeError(`block ${layer.source}: expected weights of ${role}, got none`);
  return found;
}

/** The bias of a projection, where the layer has it. */
function biasOf(layer: ReferenceLayer, weights: HeldWeights, role: keyof ReferenceLayerWeights): Floats | undefined {
  return layer.biases?.includes(role) ? held(layer, weights, role) : undefined;
}

/** The stream as attention or MLP read it: normalized, unless the layer's norms are on the outputs only. */
export function inputNorm(
  { normEps, normOffset }: ReferenceShape,
  layer: ReferenceLayer,
  weights: HeldWeights,
  role: 'attnNorm' | 'mlpNorm',
  h: Float64Array,
): Float64Array {
  return layer.normPlacement === 'post' ? h : rmsnorm(h, held(layer, weights, role), normEps, normOffset);
}

/** The output of attention or MLP as it is added to the stream: normalized where the layer does so. */
export function outputNorm(
  { normEps, normOffset }: ReferenceShape,
  layer: ReferenceLayer,
  weights: HeldWeights,
  role: 'postAttnNorm' | 'postMlpNorm',
  y: Float64Array,
): Float64Array {
  return layer.normPlacement === undefined ? y : rmsnorm(y, held(layer, weights, role), normEps, normOffset);
}

/** What a layer's attention makes of the stream before it mixes tokens. */
export interface AttentionInputs {
  /** The stream as the projections read it [seqLen, hidden]. */
  readonly x: Float64Array;
  /** The projections themselves [seqLen, heads or kvHeads, headDim]. */
  readonly projectedQ: Float64Array;
  readonly projectedK: Float64Array;
  /** Normed where the layer does so, and turned. */
  readonly q: Float64Array;
  readonly k: Float64Array;
  readonly v: Float64Array;
}

/** From the stream h [seqLen, hidden] to queries, keys and values of a layer that has heads. */
export function attentionInputs(
  shape: ReferenceShape,
  layer: ReferenceLayer,
  weights: HeldWeights,
  h: Float64Array,
): AttentionInputs {
  const { hidden, normEps, normOffset } = shape;
  const { heads, kvHeads, headDim, qkNorm, rope: turn = { theta: shape.ropeTheta } } = layer;
  const weight = (role: keyof ReferenceLayerWeights): Floats => held(layer, weights, role);
  const x = inputNorm(shape, layer, weights, 'attnNorm', h);
  const project = (part: 'q' | 'k' | 'v'): Float64Array =>
    projected(layer, weights, `${part}Proj`, x, hidden, biasOf(layer, weights, `${part}Bias`));
  // The norm's rows are as long as its weight: the heads of the tokens, or the tokens.
  const normalized = (y: Float64Array, role: 'qNorm' | 'kNorm'): Float64Array =>
    qkNorm === undefined ? y.slice() : rmsnorm(y, weight(role), normEps, normOffset);
  const [projectedQ, projectedK] = [project('q'), project('k')];
  const q = rope(normalized(projectedQ, 'qNorm'), heads, headDim, turn);
  const k = rope(normalized(projectedK, 'kNorm'), kvHeads, headDim, turn);
  return { x, projectedQ, projectedK, q, k, v: project('v') };
}

/** x · weightᵀ + bias, and what an adapter adds. */
function projected(
  layer: ReferenceLayer,
  weights: HeldWeights,
  role: Projected,
  x: Float64Array,
  inner: number,
  bias: Floats | undefined,
): Float64Array {
  const y = linear(x, held(layer, weights, role), inner, bias);
  const adapter = weights?.adapters?.[role];
  if (adapter === undefined) return y;
  const added = lowRank(x, adapter);
  return y.map((value, i) => value + added[i]!);
}

/** h + attention(norm(h)), or with the norm on the output, or on both; h itself for a layer without heads. */
function attentionForward(
  shape: ReferenceShape,
  layer: ReferenceLayer,
  weights: HeldWeights,
  h: Float64Array,
): Float64Array {
  if (layer.heads === 0) return h;
  const { q, k, v } = attentionInputs(shape, layer, weights, h);
  const out = attentionOutput(layer, weights, attention(q, k, v, layer));
  return add(h, outputNorm(shape, layer, weights, 'postAttnNorm', out));
}

/** The attention's output before a norm of it, from the mixed values [seqLen, heads, headDim]. */
export function attentionOutput(layer: ReferenceLayer, weights: HeldWeights, mixed: Float64Array): Float64Array {
  const bias = biasOf(layer, weights, 'oBias');
  return projected(layer, weights, 'oProj', mixed, layer.heads * layer.headDim, bias);
}

/** h + mlp(norm(h)), or with the norm on the output, or on both; h itself for a layer without neurons. */
function mlpForward(shape: ReferenceShape, layer: ReferenceLayer, weights: HeldWeights, h: Float64Array): Float64Array {
  if (layer.ffn === 0) return h;
  const { gate, up } = mlpInputs(shape, layer, weights, h);
  const activated = layer.activation === 'gelu_tanh' ? geglu(gate, up) : swiglu(gate, up);
  const out = mlpOutput(layer, weights, activated);
  return add(h, outputNorm(shape, layer, weights, 'postMlpNorm', out));
}

/** What a layer's MLP makes of the stream before its activation. */
export interface MlpInputs {
  /** The stream as the projections read it [seqLen, hidden]. */
  readonly x: Float64Array;
  /** The projections with their biases [seqLen, ffn]. */
  readonly gate: Float64Array;
  readonly up: Float64Array;
}

/** From the stream h [seqLen, hidden] to gate and up of a layer that has neurons. */
export function mlpInputs(
  shape: ReferenceShape,
  layer: ReferenceLayer,
  weights: HeldWeights,
  h: Float64Array,
): MlpInputs {
  const x = inputNorm(shape, layer, weights, 'mlpNorm', h);
  const project = (part: 'gate' | 'up'): Float64Array =>
    projected(layer, weights, `${part}Proj`, x, shape.hidden, biasOf(layer, weights, `${part}Bias`));
  return { x, gate: project('gate'), up: project('up') };
}

/** The MLP's output before a norm of it, from the activated neurons [seqLen, ffn]. */
export function mlpOutput(layer: ReferenceLayer, weights: HeldWeights, activated: Float64Array): Float64Array {
  return projected(layer, weights, 'downProj', activated, layer.ffn, biasOf(layer, weights, 'downBias'));
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, index) => value + b[index]!);
}

/**
 * @file A whole LLaMA forward pass in float64: the judge of the engine.
 *
 * The shapes are written here structurally, so that this room depends on none: every ModelShape is one.
 */
import type { Floats } from './arrays';
import { attention } from './attention';
import { crossEntropy } from './crossEntropy';
import { embedding } from './embedding';
import { linear } from './linear';
import { rmsnorm } from './rmsnorm';
import { rope } from './rope';
import { swiglu } from './swiglu';

export interface ReferenceLayer {
  readonly source: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly ffn: number;
}

export interface ReferenceShape {
  readonly hidden: number;
  readonly layers: readonly ReferenceLayer[];
  readonly normEps: number;
  readonly ropeTheta: number;
}

/** Weights of one block by role; those of an absent sub-block are never read. */
export interface ReferenceLayerWeights {
  readonly attnNorm: Floats;
  readonly qProj: Floats;
  readonly kProj: Floats;
  readonly vProj: Floats;
  readonly oProj: Floats;
  readonly mlpNorm: Floats;
  readonly gateProj: Floats;
  readonly upProj: Floats;
  readonly downProj: Floats;
}

export interface ReferenceWeights {
  readonly embed: Floats;
  readonly finalNorm: Floats;
  /** Absent when the head is tied: then the embedding is the head. */
  readonly lmHead?: Floats;
  /** By `ReferenceLayer.source`. */
  readonly layers: readonly Partial<ReferenceLayerWeights>[];
}

/** The residual stream [seqLen, hidden] before the first block and after each: h_0 … h_L, before the final norm. */
export function hiddenStates(
  shape: ReferenceShape,
  weights: ReferenceWeights,
  tokens: readonly number[],
): Float64Array[] {
  return halfStates(shape, weights, tokens).filter((_, index) => index % 2 === 0);
}

/** The same with the states between attention and MLP: h_0, behind the first attention, h_1, … h_L. */
export function halfStates(
  shape: ReferenceShape,
  weights: ReferenceWeights,
  tokens: readonly number[],
): Float64Array[] {
  const states = [embedding(tokens, weights.embed, shape.hidden)];
  for (const layer of shape.layers) {
    const own = weights.layers[layer.source];
    states.push(attentionForward(shape, layer, own, states.at(-1)!));
    states.push(mlpForward(shape, layer, own, states.at(-1)!));
  }
  return states;
}

/** logits[seqLen, vocab] for one sequence. */
export function modelLogits(shape: ReferenceShape, weights: ReferenceWeights, tokens: readonly number[]): Float64Array {
  return linear(finalHidden(shape, weights, tokens), headOf(weights), shape.hidden);
}

/** nll[seqLen − 1]: of each token after the first, given those before it. */
export function modelNll(shape: ReferenceShape, weights: ReferenceWeights, tokens: readonly number[]): Float64Array {
  const x = finalHidden(shape, weights, tokens);
  return crossEntropy(x, headOf(weights), tokens.slice(1), shape.hidden);
}

/** Mean NLL over all predicted tokens of all windows; its exponential is the perplexity. */
export function modelMeanNll(
  shape: ReferenceShape,
  weights: ReferenceWeights,
  windows: readonly (readonly number[])[],
): number {
  let sum = 0;
  let tokens = 0;
  for (const window of windows) {
    for (const nll of modelNll(shape, weights, window)) sum += nll;
    tokens += window.length - 1;
  }
  return sum / tokens;
}

function headOf(weights: ReferenceWeights): Floats {
  return weights.lmHead ?? weights.embed;
}

function finalHidden(shape: ReferenceShape, weights: ReferenceWeights, tokens: readonly number[]): Float64Array {
  return rmsnorm(hiddenStates(shape, weights, tokens).at(-1)!, weights.finalNorm, shape.normEps);
}

type HeldWeights = Partial<ReferenceLayerWeights> | undefined;

function held(layer: ReferenceLayer, weights: HeldWeights, role: keyof ReferenceLayerWeights): Floats {
  const found = weights?.[role];
  if (found === undefined) throw new RangeError(`block ${layer.source}: expected weights of ${role}, got none`);
  return found;
}

/** h + attention(norm(h)); h itself for a layer without heads. */
function attentionForward(
  { hidden, normEps, ropeTheta }: ReferenceShape,
  layer: ReferenceLayer,
  weights: HeldWeights,
  h: Float64Array,
): Float64Array {
  const { heads, kvHeads, headDim } = layer;
  if (heads === 0) return h;
  const weight = (role: keyof ReferenceLayerWeights): Floats => held(layer, weights, role);
  const x = rmsnorm(h, weight('attnNorm'), normEps);
  const q = rope(linear(x, weight('qProj'), hidden), heads, headDim, ropeTheta);
  const k = rope(linear(x, weight('kProj'), hidden), kvHeads, headDim, ropeTheta);
  const v = linear(x, weight('vProj'), hidden);
  return add(h, linear(attention(q, k, v, { heads, kvHeads, headDim }), weight('oProj'), heads * headDim));
}

/** h + mlp(norm(h)); h itself for a layer without neurons. */
function mlpForward(
  { hidden, normEps }: ReferenceShape,
  layer: ReferenceLayer,
  weights: HeldWeights,
  h: Float64Array,
): Float64Array {
  if (layer.ffn === 0) return h;
  const weight = (role: keyof ReferenceLayerWeights): Floats => held(layer, weights, role);
  const x = rmsnorm(h, weight('mlpNorm'), normEps);
  const activation = swiglu(linear(x, weight('gateProj'), hidden), linear(x, weight('upProj'), hidden));
  return add(h, linear(activation, weight('downProj'), layer.ffn));
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, index) => value + b[index]!);
}

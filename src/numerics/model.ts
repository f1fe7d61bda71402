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
  const states = [embedding(tokens, weights.embed, shape.hidden)];
  for (const layer of shape.layers) {
    states.push(blockForward(shape, layer, weights.layers[layer.source], states.at(-1)!));
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

/** out = h + attention(norm(h)), then out + mlp(norm(out)); a sub-block of size 0 is passed by. */
function blockForward(
  shape: ReferenceShape,
  layer: ReferenceLayer,
  weights: Partial<ReferenceLayerWeights> | undefined,
  h: Float64Array,
): Float64Array {
  const weight = (role: keyof ReferenceLayerWeights): Floats => {
    const found = weights?.[role];
    if (found === undefined) throw new RangeError(`block ${layer.source}: expected weights of ${role}, got none`);
    return found;
  };
  const { hidden, normEps, ropeTheta } = shape;
  const { heads, kvHeads, headDim, ffn } = layer;
  let out = h;
  if (heads > 0) {
    const x = rmsnorm(out, weight('attnNorm'), normEps);
    const q = rope(linear(x, weight('qProj'), hidden), heads, headDim, ropeTheta);
    const k = rope(linear(x, weight('kProj'), hidden), kvHeads, headDim, ropeTheta);
    const v = linear(x, weight('vProj'), hidden);
    out = add(out, linear(attention(q, k, v, { heads, kvHeads, headDim }), weight('oProj'), heads * headDim));
  }
  if (ffn > 0) {
    const x = rmsnorm(out, weight('mlpNorm'), normEps);
    const activation = swiglu(linear(x, weight('gateProj'), hidden), linear(x, weight('upProj'), hidden));
    out = add(out, linear(activation, weight('downProj'), ffn));
  }
  return out;
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, index) => value + b[index]!);
}

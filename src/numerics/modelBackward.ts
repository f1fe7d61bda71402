/** @file Gradients of a whole model in float64: the reference of the engine's backward pass. */

import type { Floats } from './arrays';
import { attention } from './attention';
import { attentionBackward } from './attentionBackward';
import { crossEntropyBackward } from './crossEntropyBackward';
import { embeddingBackward } from './embeddingBackward';
import { geglu } from './geglu';
import { gegluBackward } from './gegluBackward';
import { linearBackward } from './linearBackward';
import {
  attentionInputs,
  attentionOutput,
  hiddenStates,
  mlpInputs,
  mlpOutput,
  outputNorm,
  type ReferenceLayer,
  type ReferenceLayerWeights,
  type ReferenceShape,
  type ReferenceWeights,
} from './model';
import { rmsnorm } from './rmsnorm';
import { rmsnormBackward } from './rmsnormBackward';
import { ropeBackward } from './ropeBackward';
import { swiglu } from './swiglu';
import { swigluBackward } from './swigluBackward';
import type { TokenSequences } from './tokens';

export type LayerGradients = { readonly [role in keyof ReferenceLayerWeights]?: Float64Array };

/** Gradients by role, of the same sizes as the weights. */
export interface ModelGradients {
  readonly embed: Float64Array;
  readonly finalNorm: Float64Array;
  /** Absent when the head is tied: then the embedding's gradient holds the head's share too. */
  readonly lmHead?: Float64Array;
  /** By `ReferenceLayer.source`; of the roles that were given. */
  readonly layers: readonly LayerGradients[];
}

/** ∂loss/∂weight of every weight, for the mean NLL over all predicted tokens of all sequences. */
export function modelGradients(
  shape: ReferenceShape,
  weights: ReferenceWeights,
  sequences: TokenSequences,
): ModelGradients {
  const gradients = {
    embed: zeros(weights.embed),
    finalNorm: zeros(weights.finalNorm),
    ...(weights.lmHead === undefined ? {} : { lmHead: zeros(weights.lmHead) }),
    layers: weights.layers.map(
      (layer): LayerGradients =>
        Object.fromEntries(Object.entries(layer).map(([role, values]) => [role, zeros(values)])),
    ),
  };
  const predicted = sequences.reduce((sum, sequence) => sum + sequence.length - 1, 0);
  for (const sequence of sequences) sequenceBackward(shape, weights, sequence, 1 / predicted, gradients);
  return gradients;
}

/** Adds the gradients of dNll · Σ NLL of one sequence. */
function sequenceBackward(
  shape: ReferenceShape,
  weights: ReferenceWeights,
  tokens: readonly number[],
  dNll: number,
  gradients: ModelGradients,
): void {
  const { hidden, normEps, normOffset, embedScale = 1, logitSoftcap } = shape;
  const states = hiddenStates(shape, weights, tokens);
  const last = states.at(-1)!;
  const x = rmsnorm(last, weights.finalNorm, normEps, normOffset);
  const dX = zeros(x);
  const targets = tokens.slice(1);
  const dOut = new Float64Array(targets.length).fill(dNll);
  const head = weights.lmHead ?? weights.embed;
  crossEntropyBackward(dOut, x, head, targets, hidden, dX, gradients.lmHead ?? gradients.embed, logitSoftcap);

  const dHidden = zeros(x);
  rmsnormBackward(dX, last, weights.finalNorm, normEps, dHidden, gradients.finalNorm, normOffset);
  for (const [index, layer] of [...shape.layers.entries()].reverse()) {
    const { source } = layer;
    blockBackward(shape, layer, weights.layers[source]!, states[index]!, dHidden, gradients.layers[source]!);
  }
  const dEmbedded = dHidden.map((value) => value * embedScale);
  embeddingBackward(dEmbedded, tokens, hidden, gradients.embed);
}

/** dHidden [seqLen, hidden]: from the gradient behind the block to the one before it, in place; `h` is the block's input. */
function blockBackward(
  shape: ReferenceShape,
  layer: ReferenceLayer,
  weights: Partial<ReferenceLayerWeights>,
  h: Float64Array,
  dHidden: Float64Array,
  gradients: LayerGradients,
): void {
  if (layer.heads === 0) {
    if (layer.ffn > 0) mlpBackward(shape, layer, weights, h, dHidden, gradients);
    return;
  }
  const { hidden, normEps, normOffset, ropeTheta } = shape;
  const { heads, kvHeads, headDim, qkNorm, rope = { theta: ropeTheta } } = layer;
  const { x, projectedQ, projectedK, q, k, v } = attentionInputs(shape, layer, weights, h);
  const mixed = attention(q, k, v, layer);
  const out = attentionOutput(layer, weights, mixed);
  if (layer.ffn > 0) {
    const added = outputNorm(shape, layer, weights, 'postAttnNorm', out);
    const attended = added.map((value, i) => value + h[i]!);
    mlpBackward(shape, layer, weights, attended, dHidden, gradients);
  }
  const dOut = outputNormBackward(shape, layer, weights, 'postAttnNorm', out, dHidden, gradients);
  const bias = biasGradients(layer, gradients);
  const dMixed = zeros(mixed);
  const [dRotatedQ, dRotatedK, dV] = [zeros(q), zeros(k), zeros(v)];
  const [dNormalizedQ, dNormalizedK] = [zeros(q), zeros(k)];
  const dX = zeros(x);
  linearBackward(dOut, mixed, weights.oProj!, heads * headDim, dMixed, gradients.oProj!, bias('oBias'));
  attentionBackward(dMixed, q, k, v, layer, dRotatedQ, dRotatedK, dV);
  ropeBackward(dRotatedQ, heads, headDim, rope, dNormalizedQ);
  ropeBackward(dRotatedK, kvHeads, headDim, rope, dNormalizedK);
  let [dQ, dK] = [dNormalizedQ, dNormalizedK];
  if (qkNorm !== undefined) {
    [dQ, dK] = [zeros(q), zeros(k)];
    rmsnormBackward(dNormalizedQ, projectedQ, weights.qNorm!, normEps, dQ, gradients.qNorm!, normOffset);
    rmsnormBackward(dNormalizedK, projectedK, weights.kNorm!, normEps, dK, gradients.kNorm!, normOffset);
  }
  linearBackward(dQ, x, weights.qProj!, hidden, dX, gradients.qProj!, bias('qBias'));
  linearBackward(dK, x, weights.kProj!, hidden, dX, gradients.kProj!, bias('kBias'));
  linearBackward(dV, x, weights.vProj!, hidden, dX, gradients.vProj!, bias('vBias'));
  inputNormBackward(shape, layer, weights, 'attnNorm', h, dX, dHidden, gradients);
}

/** The gradient that a bias adds to; undefined where the layer lacks the bias. */
function biasGradients(
  layer: ReferenceLayer,
  gradients: LayerGradients,
): (role: keyof LayerGradients) => Float64Array | undefined {
  return (role) => (layer.biases?.includes(role) ? gradients[role] : undefined);
}

/** The MLP's part of the block; `h` is the stream before it. */
function mlpBackward(
  shape: ReferenceShape,
  layer: ReferenceLayer,
  weights: Partial<ReferenceLayerWeights>,
  h: Float64Array,
  dHidden: Float64Array,
  gradients: LayerGradients,
): void {
  const { hidden } = shape;
  const [forward, backward] = layer.activation === 'gelu_tanh' ? [geglu, gegluBackward] : [swiglu, swigluBackward];
  const { x, gate, up } = mlpInputs(shape, layer, weights, h);
  const activated = forward(gate, up);
  const [dActivated, dGate, dUp, dX] = [zeros(gate), zeros(gate), zeros(up), zeros(x)];
  const out = mlpOutput(layer, weights, activated);
  const dOut = outputNormBackward(shape, layer, weights, 'postMlpNorm', out, dHidden, gradients);
  const bias = biasGradients(layer, gradients);
  linearBackward(dOut, activated, weights.downProj!, layer.ffn, dActivated, gradients.downProj!, bias('downBias'));
  backward(dActivated, gate, up, dGate, dUp);
  linearBackward(dGate, x, weights.gateProj!, hidden, dX, gradients.gateProj!, bias('gateBias'));
  linearBackward(dUp, x, weights.upProj!, hidden, dX, gradients.upProj!, bias('upBias'));
  inputNormBackward(shape, layer, weights, 'mlpNorm', h, dX, dHidden, gradients);
}

/** From the gradient of what is added to the stream to that of the sub-block's output `y`. */
function outputNormBackward(
  { normEps, normOffset }: ReferenceShape,
  { normPlacement }: ReferenceLayer,
  weights: Partial<ReferenceLayerWeights>,
  role: 'postAttnNorm' | 'postMlpNorm',
  y: Float64Array,
  dAdded: Float64Array,
  gradients: LayerGradients,
): Float64Array {
  if (normPlacement === undefined) return dAdded;
  const dY = zeros(y);
  rmsnormBackward(dAdded, y, weights[role]!, normEps, dY, gradients[role]!, normOffset);
  return dY;
}

/** Adds to dHidden what comes back through the sub-block's input; `h` is the stream before it. */
function inputNormBackward(
  { normEps, normOffset }: ReferenceShape,
  { normPlacement }: ReferenceLayer,
  weights: Partial<ReferenceLayerWeights>,
  role: 'attnNorm' | 'mlpNorm',
  h: Float64Array,
  dX: Float64Array,
  dHidden: Float64Array,
  gradients: LayerGradients,
): void {
  if (normPlacement === 'post') {
    dX.forEach((value, i) => {
      dHidden[i]! += value;
    });
    return;
  }
  rmsnormBackward(dX, h, weights[role]!, normEps, dHidden, gradients[role]!, normOffset);
}

function zeros(like: Floats): Float64Array {
  return new Float64Array(like.length);
}

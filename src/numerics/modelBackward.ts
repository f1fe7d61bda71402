/** @file Gradients of a whole LLaMA in float64: the judge of the engine's backward pass. */
import type { Floats } from './arrays';
import { attention } from './attention';
import { attentionBackward } from './attentionBackward';
import { crossEntropyBackward } from './crossEntropyBackward';
import { embeddingBackward } from './embeddingBackward';
import { linear } from './linear';
import { linearBackward } from './linearBackward';
import {
  attentionInputs,
  attentionOutput,
  hiddenStates,
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

/** ∂loss/∂weight of every weight, for the mean NLL over all predicted tokens of all windows. */
export function modelGradients(
  shape: ReferenceShape,
  weights: ReferenceWeights,
  windows: readonly (readonly number[])[],
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
  const predicted = windows.reduce((sum, window) => sum + window.length - 1, 0);
  for (const window of windows) windowBackward(shape, weights, window, 1 / predicted, gradients);
  return gradients;
}

/** Adds the gradients of dNll · Σ NLL of one window. */
function windowBackward(
  shape: ReferenceShape,
  weights: ReferenceWeights,
  tokens: readonly number[],
  dNll: number,
  gradients: ModelGradients,
): void {
  const { hidden, normEps } = shape;
  const states = hiddenStates(shape, weights, tokens);
  const last = states.at(-1)!;
  const x = rmsnorm(last, weights.finalNorm, normEps);
  const dX = zeros(x);
  const targets = tokens.slice(1);
  const dOut = new Float64Array(targets.length).fill(dNll);
  const head = weights.lmHead ?? weights.embed;
  crossEntropyBackward(dOut, x, head, targets, hidden, dX, gradients.lmHead ?? gradients.embed);

  const dHidden = zeros(x);
  rmsnormBackward(dX, last, weights.finalNorm, normEps, dHidden, gradients.finalNorm);
  for (const [index, layer] of [...shape.layers.entries()].reverse()) {
    const { source } = layer;
    blockBackward(shape, layer, weights.layers[source]!, states[index]!, dHidden, gradients.layers[source]!);
  }
  embeddingBackward(dHidden, tokens, hidden, gradients.embed);
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
    if (layer.ffn > 0) mlpBackward(shape, layer.ffn, weights, h, dHidden, gradients);
    return;
  }
  const { hidden, normEps, ropeTheta } = shape;
  const { heads, kvHeads, headDim, qkNorm, rope = { theta: ropeTheta } } = layer;
  const { x, projectedQ, projectedK, q, k, v } = attentionInputs(shape, layer, weights, h);
  const mixed = attention(q, k, v, layer);
  if (layer.ffn > 0) {
    const attended = attentionOutput(layer, weights, mixed).map((value, i) => value + h[i]!);
    mlpBackward(shape, layer.ffn, weights, attended, dHidden, gradients);
  }
  const bias = (role: keyof LayerGradients): Float64Array | undefined =>
    layer.biases?.includes(role) ? gradients[role] : undefined;
  const dMixed = zeros(mixed);
  const [dTurnedQ, dTurnedK, dV] = [zeros(q), zeros(k), zeros(v)];
  const [dNormedQ, dNormedK] = [zeros(q), zeros(k)];
  const dX = zeros(x);
  linearBackward(dHidden, mixed, weights.oProj!, heads * headDim, dMixed, gradients.oProj!, bias('oBias'));
  attentionBackward(dMixed, q, k, v, layer, dTurnedQ, dTurnedK, dV);
  ropeBackward(dTurnedQ, heads, headDim, rope, dNormedQ);
  ropeBackward(dTurnedK, kvHeads, headDim, rope, dNormedK);
  let [dQ, dK] = [dNormedQ, dNormedK];
  if (qkNorm !== undefined) {
    [dQ, dK] = [zeros(q), zeros(k)];
    rmsnormBackward(dNormedQ, projectedQ, weights.qNorm!, normEps, dQ, gradients.qNorm!);
    rmsnormBackward(dNormedK, projectedK, weights.kNorm!, normEps, dK, gradients.kNorm!);
  }
  linearBackward(dQ, x, weights.qProj!, hidden, dX, gradients.qProj!, bias('qBias'));
  linearBackward(dK, x, weights.kProj!, hidden, dX, gradients.kProj!, bias('kBias'));
  linearBackward(dV, x, weights.vProj!, hidden, dX, gradients.vProj!, bias('vBias'));
  rmsnormBackward(dX, h, weights.attnNorm!, normEps, dHidden, gradients.attnNorm!);
}

/** The MLP's part of the block; `h` is the stream before it. */
function mlpBackward(
  { hidden, normEps }: ReferenceShape,
  ffn: number,
  weights: Partial<ReferenceLayerWeights>,
  h: Float64Array,
  dHidden: Float64Array,
  gradients: LayerGradients,
): void {
  const x = rmsnorm(h, weights.mlpNorm!, normEps);
  const gate = linear(x, weights.gateProj!, hidden);
  const up = linear(x, weights.upProj!, hidden);
  const [dActivation, dGate, dUp, dX] = [zeros(gate), zeros(gate), zeros(up), zeros(x)];
  linearBackward(dHidden, swiglu(gate, up), weights.downProj!, ffn, dActivation, gradients.downProj!);
  swigluBackward(dActivation, gate, up, dGate, dUp);
  linearBackward(dGate, x, weights.gateProj!, hidden, dX, gradients.gateProj!);
  linearBackward(dUp, x, weights.upProj!, hidden, dX, gradients.upProj!);
  rmsnormBackward(dX, h, weights.mlpNorm!, normEps, dHidden, gradients.mlpNorm!);
}

function zeros(like: Floats): Float64Array {
  return new Float64Array(like.length);
}

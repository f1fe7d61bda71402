/**
 * @file Taylor importance: Σ|W ⊙ ∂L/∂W| of every block, for the mean loss over all predicted tokens of all windows.
 *
 * The forward pass keeps each block's input (`blockInputs.ts`) and nothing else, or, for as many of the last blocks as fit in `keepBytes`,
 * all that their backward pass needs. The backward pass walks the blocks in reverse, each with all batches, so that a
 * gradient is summed over the whole calibration set before |·| is taken.
 */

import { LabError } from '../../errors';
import { attentionRoles, isBias, type LayerRole, type LayerShape, layerRoles, mlpRoles } from '../../model/shape';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import { Backward, type Sequences, type Tape } from '../pass/backward';
import { BlockInputs, type InputBudget } from '../pass/blockInputs';
import { type EngineParts, embedBatch, progressSteps, uploadWords } from '../pass/runtime';
import { type Batch, makeBatches, predictedTokens } from '../pass/sequences';
import { type VocabularyRole, type VocabularyUse, vocabularyBackward } from '../pass/vocabularyBackward';
import type { LossRows } from '../pass/vocabularyChunks';
import { type Salience, SalienceSink, salienceKernels } from './salience';
import type { ForwardHook } from './statistics';
import { VocabularySalience } from './vocabularySalience';

export interface TaylorOptions extends TaskOptions {
  /** Memory for activations that the backward pass then need not recompute, bytes; 0 unless given. */
  readonly keepBytes?: number | undefined;
  /** Look at the gradients of the embedding and the head too, at the price of some further products with the head. */
  readonly vocabulary?: boolean | undefined;
  /** The sums of each channel too, of which the structures of width pruning are made. */
  readonly channels?: boolean | undefined;
}

export interface TaylorLayer {
  /** Projections and norms of the attention, never its biases; 0 where the layer has none. */
  readonly attention: number;
  /** Projections and norm of the MLP; 0 where the layer has none. */
  readonly mlp: number;
  readonly total: number;
  /** Σ|W ⊙ ∂L/∂W| of every projection and norm that the layer has. */
  readonly roles: Partial<Record<LayerRole, number>>;
  /** ‖∂L/∂W‖ of every projection and norm that the layer has. */
  readonly gradientNorms: Partial<Record<LayerRole, number>>;
  /** Σ|W ⊙ ∂L/∂W| of each row of a projection, of oProj and downProj of each column; where `channels` asked for them. */
  readonly channels?: Partial<Record<LayerRole, Float32Array>>;
}

export interface Taylor {
  /** One per layer of the whole model. */
  readonly layers: TaylorLayer[];
  /** ‖∂L/∂W‖ of the final norm. */
  readonly finalNormGradient: number;
  /** Of the embedding and the head, where they were asked for; a tied head's is the embedding's. */
  readonly vocabulary: Partial<Record<VocabularyRole, Salience>>;
}

/** A batch on its way: its stream, and what its blocks left for the backward pass. */
interface Walk extends Sequences {
  readonly batch: Batch;
  /** The residual stream; behind the head, its gradient. */
  residual: GPUBuffer;
  /** Where the head's part of the gradients of the vocabulary begins, if they are wanted. */
  head: Pick<VocabularyUse, 'loss' | 'x'> | null;
  readonly inputs: BlockInputs;
  readonly tapes: (Tape | undefined)[];
}

/** Steps of progress: a block's way back costs about three times its way there. */
const backwardSteps = 3;

/** Taylor saliences and gradient norms of every block of the whole model; `watch` looks on on the way there. */
export async function taylor(
  parts: EngineParts,
  sequences: TokenSequences,
  options: TaylorOptions,
  { stage = 'taylor', hook }: { stage?: string; hook?: ForwardHook } = {},
): Promise<Taylor> {
  const { layers } = parts.shape;
  const predicted = predictedTokens(sequences);
  if (predicted === 0) {
    throw new LabError(
      'bad-argument',
      'windows: no window has two tokens, so nothing is predicted.',
      'Give longer windows.',
    );
  }
  const backward = new Backward(parts);
  const batches = makeBatches(sequences, batchRows(parts));
  const rows = batches.reduce((sum, batch) => sum + batch.tokens.length, 0);
  // The last block's way back follows its way there: its tape costs nothing that the way back does not need anyway.
  const kept = Math.min(
    keptFrom(backward, layers, rows, options.keepBytes ?? 0),
    batches.length === 1 ? layers.length - 1 : layers.length,
  );
  const steps = batches.length * layers.length * (1 + backwardSteps);
  const step = progressSteps(options, stage, steps, layers.length, 'blocks');

  await parts.queue.prepare([...backward.kernels(), ...salienceKernels(parts, options.channels ?? false)]);
  parts.forward.follow([...batches.flatMap(() => layers), ...[...layers].reverse()]);
  const walks: Walk[] = [];
  const budget = { bytes: parts.inputBytes };
  for (const batch of batches) walks.push(await prepareWalk(parts, batch, budget));
  for (const walk of walks) await walkForward(parts, backward, walk, kept, step, hook);
  const final = new SalienceSink(parts, batches.length);
  for (const walk of walks) {
    await startBackward(parts, backward, walk, 1 / predicted, final, options.vocabulary ?? false);
    final.nextBatch();
  }
  const finalNormGradient = (await final.read()).get('finalNorm')!.gradientNorm;

  const results: TaylorLayer[] = layers.map(() => noSalience);
  for (const [index, layer] of [...layers.entries()].reverse()) {
    const sink = new SalienceSink(parts, batches.length, options.channels);
    for (const walk of walks) {
      const input = await walk.inputs.back(index);
      const tape = walk.tapes[index] ?? (await backward.record(layer, input, walk));
      await backward.block(layer, input, tape, walk.residual, walk, sink);
      parts.buffers.release(input);
      sink.nextBatch();
      step(backwardSteps);
    }
    if (layerRoles(layer).length > 0) results[index] = summarize(layer, await sink.read());
  }
  const vocabulary = new VocabularySalience(parts);
  const uses = walks.flatMap(({ batch, residual, head }) =>
    head === null ? [] : [{ batch, dHidden: residual, ...head }],
  );
  if (uses.length > 0) await vocabularyBackward(parts, uses, vocabulary);
  for (const { residual, head } of walks) {
    for (const used of [residual, ...(head === null ? [] : [head.x, ...lossBuffers(head.loss)])])
      parts.buffers.release(used);
  }
  return { layers: results, finalNormGradient, vocabulary: vocabulary.read() };
}

/** Rows that one batch may have, so that its widest activation fits one binding and memory stays bounded. */
function batchRows({ context, shape }: EngineParts): number {
  const widths = shape.layers.map(({ heads, kvHeads, headDim, ffn }) =>
    Math.max((heads + 2 * kvHeads) * headDim, 2 * ffn, shape.hidden),
  );
  const bytes = Math.min(context.device.limits.maxStorageBufferBindingSize, 2 ** 27);
  return Math.floor(bytes / (4 * Math.max(shape.hidden, ...widths)));
}

/** The first layer whose tape is kept: those from there on fit in the budget together. */
function keptFrom(backward: Backward, layers: readonly LayerShape[], rows: number, keepBytes: number): number {
  let bytes = 0;
  for (let index = layers.length - 1; index >= 0; index--) {
    bytes += backward.tapeBytes(layers[index]!, rows);
    if (bytes > keepBytes) return index + 1;
  }
  return 0;
}

/** A walk with room for its stream and every block's input: taken before the pool holds larger buffers that would serve. */
async function prepareWalk(parts: EngineParts, batch: Batch, budget: InputBudget): Promise<Walk> {
  const { buffers, shape } = parts;
  const rows = batch.tokens.length;
  const inputs = await BlockInputs.prepare(parts, shape.layers.length, rows, budget);
  const queue = await buffers.acquire(rows * shape.hidden * 4, 'hidden');
  return { batch, rows, seqLen: batch.seqLen, residual: queue, head: null, inputs, tapes: [] };
}

/** Takes a batch through all blocks, keeping every block's input, and the tapes from `kept` on. */
async function walkForward(
  parts: EngineParts,
  backward: Backward,
  walk: Walk,
  kept: number,
  step: () => void,
  hook: ForwardHook | undefined,
): Promise<void> {
  const { batch, rows, residual: queue } = walk;
  await embedBatch(parts, batch, queue);
  await hook?.begin(batch, queue);
  for (const [index, layer] of parts.shape.layers.entries()) {
    const input = await walk.inputs.copy(index, queue);
    const tap = hook?.inputs?.(batch, index);
    if (index < kept) {
      await parts.forward.block(layer, { buffer: queue, first: 0, count: rows }, batch.seqLen, tap);
    } else {
      const tape = await backward.record(layer, input, walk);
      await backward.advance(layer, tape, queue, walk, tap);
      walk.tapes[index] = tape;
    }
    await hook?.block(batch, index, input, queue);
    await walk.inputs.passed(index, input);
    step();
  }
  await hook?.end(batch);
}

/** Replaces the walk's stream by the loss's gradient with respect to it. */
async function startBackward(
  parts: EngineParts,
  backward: Backward,
  walk: Walk,
  dNllEach: number,
  sink: SalienceSink,
  keepHead: boolean,
): Promise<void> {
  const { buffers, forward, queue, weights } = parts;
  const { batch, rows } = walk;
  const targets = await uploadWords(parts, batch.targets, 'targets');
  const dNll = await buffers.acquire(rows * 4, 'gradients of losses');
  await queue.write(dNll, lossGradients(batch, dNllEach));
  const loss = { targets, dNll, lse: await buffers.acquire(rows * 4, 'log-sum-exp'), rows };
  const gradient = await backward.head(walk.residual, loss, sink);
  if (keepHead) {
    walk.head = { loss, x: await forward.norm(weights.finalNorm, { buffer: walk.residual, first: 0, count: rows }) };
  } else {
    for (const used of lossBuffers(loss)) buffers.release(used);
  }
  buffers.release(walk.residual);
  walk.residual = gradient;
}

const lossBuffers = ({ targets, dNll, lse }: LossRows): GPUBuffer[] => [targets, dNll, lse];

/** ∂loss/∂nll [rows]: nothing for a window's last token, nor for padding. */
function lossGradients({ lengths, seqLen }: Batch, each: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(lengths.length * seqLen);
  lengths.forEach((length, sequence) => {
    values.fill(each, sequence * seqLen, sequence * seqLen + length - 1);
  });
  return values;
}

const noSalience: TaylorLayer = { attention: 0, mlp: 0, total: 0, roles: {}, gradientNorms: {} };

function summarize(layer: LayerShape, found: ReadonlyMap<string, Salience>): TaylorLayer {
  const roles: Partial<Record<LayerRole, number>> = {};
  const gradientNorms: Partial<Record<LayerRole, number>> = {};
  const channels: Partial<Record<LayerRole, Float32Array>> = {};
  const sumOf = (names: readonly LayerRole[]): number =>
    names.reduce((sum, role) => {
      const one = found.get(role);
      if (one === undefined) return sum;
      roles[role] = one.salience;
      gradientNorms[role] = one.gradientNorm;
      if (one.channels !== undefined) channels[role] = one.channels;
      return isBias(role) ? sum : sum + one.salience;
    }, 0);
  const [attention, mlp] = [sumOf(attentionRoles(layer)), sumOf(mlpRoles(layer))];
  const wanted = Object.keys(channels).length > 0 ? { channels } : {};
  return { attention, mlp, total: attention + mlp, roles, gradientNorms, ...wanted };
}

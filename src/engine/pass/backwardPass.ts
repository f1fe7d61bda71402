/**
 * @file The backward pass over the base: gradients of the mean loss, block by block from the last to the first.
 *
 * The forward pass keeps each block's input (`blockInputs.ts`) and, for as many of the last blocks as fit in
 * `keepBytes`, all that their backward pass needs; for the others the backward pass computes that again. The backward
 * pass takes all batches through a block before it goes on, so a sink sees the gradient over the whole calibration set
 * before it looks at it. This file does not know how the gradients are used.
 */
import { LabError } from '../../errors';
import type { LayerShape } from '../../model/shape';
import type { Dropout } from '../../numerics/dropout';
import type { TaskOptions } from '../../task';
import type { Kernel } from '../gpu/kernel';
import { Backward } from './backward';
import { BlockInputs, type InputBudget } from './blockInputs';
import { combineTaps, type ForwardHook } from './forwardHook';
import type { GradientSink } from './gradientSink';
import { normalize } from './norms';
import type { Sequences } from './parts';
import { type EngineParts, embedBatch, progressSteps, uploadWords } from './runtime';
import type { Batch } from './sequences';
import { type Tape, tapeBytes } from './tape';
import { type VocabularySink, type VocabularyUse, vocabularyBackward } from './vocabularyBackward';
import type { LossRows } from './vocabularyChunks';

export interface BackwardPassOptions extends TaskOptions {
  /**
   * The sink of a layer's gradients, by its index, or of the final norm's. The pass asks for one sink after the other, and each is
   * finished before the next.
   */
  sinkFor(place: number | 'finalNorm'): GradientSink;
  /** Every kernel that the sinks launch, to be compiled ahead with the others. */
  readonly kernels?: Iterable<Kernel>;
  /** The sink of the vocabulary's tables; their gradients are computed only for one. */
  readonly vocabulary?: VocabularySink | undefined;
  /** See the forward pass. */
  readonly hooks?: readonly ForwardHook[];
  /** Dropout of the adapters' input for a batch, by its index; none without it. */
  readonly dropout?: ((batch: number) => Dropout | null) | undefined;
  /** Memory for activations that the backward pass then need not compute again, bytes; 0 unless given. */
  readonly keepBytes?: number | undefined;
  /** The stage that progress reports name. */
  readonly stage: string;
}

/** A batch under way: its residual, and the buffers that its blocks saved for the backward pass. */
interface Walk extends Sequences {
  readonly batch: Batch;
  /** The residual stream; from the head on, its gradient. */
  residual: GPUBuffer;
  /** Where the head's part of the gradients of the vocabulary begins, if a sink wants them. */
  head: Pick<VocabularyUse, 'loss' | 'x'> | null;
  readonly inputs: BlockInputs;
  readonly tapes: (Tape | undefined)[];
}

/** Steps of progress: the backward pass of a block takes about three times as long as its forward pass. */
const backwardSteps = 3;

/** The gradients of the mean loss over all predicted tokens of the batches, of which there is one at least. */
export async function backwardPass(
  parts: EngineParts,
  batches: readonly Batch[],
  options: BackwardPassOptions,
): Promise<void> {
  const { layers } = parts.shape;
  const { hooks = [], vocabulary } = options;
  const backward = new Backward(parts);
  const rows = batches.reduce((sum, batch) => sum + batch.tokens.length, 0);
  const predicted = batches.flatMap(({ lengths }) => lengths).reduce((sum, length) => sum + length - 1, 0);
  if (predicted === 0) {
    throw new LabError(
      'bad-argument',
      'sequences: none has two tokens, so nothing is predicted.',
      'Give longer sequences.',
    );
  }
  // The last block's backward pass follows its forward pass: with one batch, keeping its tape takes no further memory.
  const kept = Math.min(
    keptFrom(parts, rows, options.keepBytes ?? 0),
    batches.length === 1 ? layers.length - 1 : layers.length,
  );
  const steps = batches.length * layers.length * (1 + backwardSteps);
  const step = progressSteps(options, options.stage, steps, layers.length, 'blocks');

  await parts.queue.prepare([...backward.kernels(), ...(options.kernels ?? [])]);
  parts.forward.follow([...batches.flatMap(() => layers), ...[...layers].reverse()]);
  const walks: Walk[] = [];
  const budget = { bytes: parts.inputBytes };
  for (const batch of batches) walks.push(await prepareWalk(parts, batch, budget));
  const enter = (batch: number): void => {
    parts.forward.dropout = options.dropout?.(batch) ?? null;
  };
  for (const [at, walk] of walks.entries()) {
    enter(at);
    await walkForward(parts, backward, walk, { kept, hooks, step });
  }
  const final = options.sinkFor('finalNorm');
  const start = { dNllEach: 1 / predicted, hooks, keepHead: vocabulary !== undefined, sink: final };
  for (const walk of walks) {
    await startBackward(parts, backward, walk, start);
    final.endBatch?.();
  }
  await final.finish?.();

  for (const [index, layer] of [...layers.entries()].reverse()) {
    const sink = options.sinkFor(index);
    for (const [at, walk] of walks.entries()) {
      enter(at);
      await blockBackward(parts, backward, walk, layer, index, sink);
      sink.endBatch?.();
      step(backwardSteps);
    }
    await sink.finish?.();
  }
  parts.forward.dropout = null;
  const uses = walks.flatMap(({ batch, residual, head }) =>
    head === null ? [] : [{ batch, dHidden: residual, ...head }],
  );
  if (vocabulary !== undefined && uses.length > 0) await vocabularyBackward(parts, uses, vocabulary);
  for (const { residual, head } of walks) {
    for (const used of [residual, ...(head === null ? [] : [head.x, ...lossBuffers(head.loss)])])
      parts.buffers.release(used);
  }
}

/** Rows that one batch may have, so that its widest activation fits one binding and memory stays bounded. */
export function backwardBatchRows({ context, shape }: EngineParts): number {
  const widths = shape.layers.map(({ heads, kvHeads, headDim, ffn }) =>
    Math.max((heads + 2 * kvHeads) * headDim, 2 * ffn, shape.hidden),
  );
  const bytes = Math.min(context.device.limits.maxStorageBufferBindingSize, 2 ** 27);
  return Math.floor(bytes / (4 * Math.max(shape.hidden, ...widths)));
}

/** The first layer whose tape is kept: those from there on fit in the budget together. */
function keptFrom({ shape }: EngineParts, rows: number, keepBytes: number): number {
  let bytes = 0;
  for (let index = shape.layers.length - 1; index >= 0; index--) {
    bytes += tapeBytes(shape, shape.layers[index]!, rows);
    if (bytes > keepBytes) return index + 1;
  }
  return 0;
}

/** Acquires a walk's stream and its block inputs before the pool holds larger buffers that would serve. */
async function prepareWalk(parts: EngineParts, batch: Batch, budget: InputBudget): Promise<Walk> {
  const { buffers, shape } = parts;
  const rows = batch.tokens.length;
  const inputs = await BlockInputs.prepare(parts, shape.layers.length, rows, budget);
  const residual = await buffers.acquire(rows * shape.hidden * 4, 'hidden');
  return { batch, rows, seqLen: batch.seqLen, residual, head: null, inputs, tapes: [] };
}

/** Takes a batch through all blocks, keeping every block's input, and the tapes from layer `kept` on. */
async function walkForward(
  parts: EngineParts,
  { tapes }: Backward,
  walk: Walk,
  { kept, hooks, step }: { kept: number; hooks: readonly ForwardHook[]; step: () => void },
): Promise<void> {
  const { batch, rows, seqLen, residual } = walk;
  await embedBatch(parts, batch, residual);
  for (const hook of hooks) await hook.begin?.(batch, residual);
  for (const [index, layer] of parts.shape.layers.entries()) {
    const input = await walk.inputs.copy(index, residual);
    const tap = combineTaps(hooks.flatMap((hook) => hook.inputs?.(batch, index) ?? []));
    if (index < kept && parts.forward.dropout === null) {
      await parts.forward.block(layer, { buffer: residual, first: 0, count: rows }, seqLen, tap);
    } else {
      const tape = await tapes.record(layer, input, walk);
      await tapes.advance(layer, tape, residual, rows, tap);
      // The forward pass of a slice counts its own rows: a dropout, which depends on them, sees the batch as a whole.
      if (index < kept) tapes.release(tape);
      else walk.tapes[index] = tape;
    }
    for (const hook of hooks) await hook.block?.(batch, index, input, residual);
    await walk.inputs.passed(index, input);
    step();
  }
  for (const hook of hooks) await hook.end?.(batch);
}

/** How a walk's backward pass begins. */
interface Start {
  /** ∂loss/∂nll of every predicted token. */
  readonly dNllEach: number;
  readonly hooks: readonly ForwardHook[];
  /** Whether the gradients of the vocabulary will need the head's input and losses. */
  readonly keepHead: boolean;
  readonly sink: GradientSink;
}

/** Replaces the walk's stream by the loss's gradient with respect to it. */
async function startBackward(
  parts: EngineParts,
  backward: Backward,
  walk: Walk,
  { dNllEach, hooks, keepHead, sink }: Start,
): Promise<void> {
  const { buffers, forward, queue, weights } = parts;
  const { batch, rows } = walk;
  const stream = { buffer: walk.residual, first: 0, count: rows };
  const targets = await uploadWords(parts, batch.targets, 'targets');
  const dNll = await buffers.acquire(rows * 4, 'gradients of losses');
  await queue.write(dNll, lossGradients(batch, dNllEach));
  const loss = { targets, dNll, lse: await buffers.acquire(rows * 4, 'log-sum-exp'), rows };
  const nll = await buffers.acquire(rows * 4, 'nll');
  await forward.nll(stream, targets, nll, 0, loss.lse);
  for (const hook of hooks) await hook.losses?.(batch, nll);
  buffers.release(nll);
  const gradient = await backward.head(walk.residual, loss, sink);
  if (keepHead) {
    walk.head = { loss, x: await normalize(parts, weights.finalNorm, stream) };
  } else {
    for (const used of lossBuffers(loss)) buffers.release(used);
  }
  buffers.release(walk.residual);
  walk.residual = gradient;
}

/** Takes a walk's gradient back through a block. */
async function blockBackward(
  { buffers }: EngineParts,
  backward: Backward,
  walk: Walk,
  layer: LayerShape,
  index: number,
  sink: GradientSink,
): Promise<void> {
  const input = await walk.inputs.back(index);
  const tape = walk.tapes[index] ?? (await backward.tapes.record(layer, input, walk));
  await backward.block(layer, { input, tape, dHidden: walk.residual, sequences: walk, sink });
  buffers.release(input);
}

const lossBuffers = ({ targets, dNll, lse }: LossRows): GPUBuffer[] => [targets, dNll, lse];

/** ∂loss/∂nll [rows]: 0 for a sequence's last token and for padding. */
function lossGradients({ lengths, seqLen }: Batch, each: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(lengths.length * seqLen);
  lengths.forEach((length, sequence) => {
    values.fill(each, sequence * seqLen, sequence * seqLen + length - 1);
  });
  return values;
}

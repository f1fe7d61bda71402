/**
 * @file The backward pass over a view: gradients of the mean loss, block by block from the last to the first.
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
import type { BatchLoss, HeadLoss, LossTerms } from './headLoss';
import { nextTokenLoss } from './nextTokenLoss';
import type { Sequences } from './parts';
import { type EngineParts, embedBatch, progressSteps, uploadWords } from './runtime';
import { type Batch, countedRows } from './sequences';
import { type Tape, tapeBytes } from './tape';
import { finalNorm } from './vocabulary';
import { gradientChunk, type VocabularySink, vocabularyBackward } from './vocabularyBackward';
import { chunkRows } from './vocabularyChunks';

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
  /** The next token's unless told. */
  readonly loss?: HeadLoss | undefined;
  /** By sequence, the first token whose loss counts, at least 1: beyond the sequence's end none does. Without it every loss counts. */
  readonly firstTargets?: readonly number[] | undefined;
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
  /** Its loss, from the head on. */
  loss: BatchLoss | null;
  readonly inputs: BlockInputs;
  readonly tapes: (Tape | undefined)[];
}

/** Steps of progress: the backward pass of a block takes about three times as long as its forward pass. */
const backwardSteps = 3;

/**
 * The gradients of the mean loss over all predicted tokens of the batches that count, of which there is one at least; returns the
 * mean loss and its parts.
 */
export async function backwardPass(
  parts: EngineParts,
  batches: readonly Batch[],
  options: BackwardPassOptions,
): Promise<LossTerms> {
  const { layers } = parts.shape;
  const { hooks = [], vocabulary, loss = nextTokenLoss } = options;
  const backward = new Backward(parts);
  const rows = batches.reduce((sum, batch) => sum + batch.tokens.length, 0);
  const counted = new Map(batches.map((batch) => [batch, [...countedRows(batch, options.firstTargets)]]));
  const count = [...counted.values()].reduce((sum, { length }) => sum + length, 0);
  if (count === 0) throw nothingCounts(options.firstTargets);
  // The last block's backward pass follows its forward pass: with one batch, keeping its tape takes no further memory.
  const kept = Math.min(
    keptFrom(parts, rows, options.keepBytes ?? 0),
    batches.length === 1 ? layers.length - 1 : layers.length,
  );
  const steps = batches.length * (layers.length * (1 + backwardSteps) + loss.blocks);
  const step = progressSteps(options, options.stage, steps, layers.length, 'blocks');

  await parts.queue.prepare([...backward.kernels(), ...loss.kernels(parts), ...(options.kernels ?? [])]);
  await loss.begin?.(batches, step);
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
  const logitBytes = parts.logitBytes / loss.logitBuffers;
  const largest = Math.max(...batches.map(({ tokens }) => tokens.length));
  const most = vocabulary === undefined ? chunkRows(largest, logitBytes) : gradientChunk(parts, largest, logitBytes);
  const losses: LossTerms[] = [];
  const table = await vocabulary?.table?.(parts.shape.tiedHead ? 'embed' : 'lmHead');
  for (const [at, walk] of walks.entries()) {
    const own = counted.get(walk.batch)!;
    walk.loss = await headOf(parts, loss, walk, own, 1 / count);
    losses.push(walk.loss.sums(own));
    const whole = table === undefined ? null : { buffer: table, carry: at > 0 };
    const gradient = await backward.head(walk.residual, walk.loss, final, most, whole);
    if (vocabulary === undefined || whole !== null) releaseLoss(parts, walk);
    parts.buffers.release(walk.residual);
    walk.residual = gradient;
    final.endBatch?.();
  }
  await final.finish?.();

  for (const [index, layer] of [...layers.entries()].reverse()) {
    const sink = options.sinkFor(index);
    for (const [at, walk] of walks.entries()) {
      enter(at);
      await blockBackward(parts, backward, walk, layer, index, sink, vocabulary === undefined);
      sink.endBatch?.();
      step(backwardSteps);
    }
    await sink.finish?.();
  }
  parts.forward.dropout = null;
  const uses = walks.map(({ batch, residual, loss: own }) => ({ batch, dHidden: residual, loss: own }));
  if (vocabulary !== undefined) await vocabularyBackward(parts, uses, vocabulary, most);
  for (const walk of walks) {
    releaseLoss(parts, walk);
    parts.buffers.release(walk.residual);
  }
  return meanOf(losses, count);
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
  return { batch, rows, seqLen: batch.seqLen, residual, loss: null, inputs, tapes: [] };
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

/** The loss of a walk that has passed all blocks; each row that counts weighs `weight`. */
async function headOf(
  parts: EngineParts,
  loss: HeadLoss,
  { batch, rows, residual }: Walk,
  counted: readonly number[],
  weight: number,
): Promise<BatchLoss> {
  const { buffers, queue } = parts;
  const targets = await uploadWords(parts, batch.targets, 'targets');
  const values = new Float32Array(rows);
  for (const row of counted) values[row] = weight;
  const weights = await buffers.acquire(rows * 4, 'weights of losses');
  await queue.write(weights, values);
  const x = await finalNorm(parts, { buffer: residual, first: 0, count: rows });
  return loss.of(parts, { batch, rows, x, targets, weights });
}

function releaseLoss({ buffers }: EngineParts, walk: Walk): void {
  if (walk.loss === null) return;
  const { x, targets, weights } = walk.loss.at;
  walk.loss.release();
  for (const used of [x, targets, weights]) buffers.release(used);
  walk.loss = null;
}

/** Takes a walk's gradient back through a block. */
async function blockBackward(
  { buffers }: EngineParts,
  backward: Backward,
  walk: Walk,
  layer: LayerShape,
  index: number,
  sink: GradientSink,
  embeddingIsFrozen: boolean,
): Promise<void> {
  const input = await walk.inputs.back(index);
  const tape = walk.tapes[index] ?? (await backward.tapes.record(layer, input, walk));
  const inputIsLast = index === 0 && embeddingIsFrozen && sink.normsAreFrozen === true;
  await backward.block(layer, { input, tape, dHidden: walk.residual, sequences: walk, sink, inputIsLast });
  buffers.release(input);
}

/** The mean over `count` tokens from sums over batches. */
function meanOf(sums: readonly LossTerms[], count: number): LossTerms {
  const mean = (of: (terms: LossTerms) => number): number => sums.reduce((sum, terms) => sum + of(terms), 0) / count;
  return {
    loss: mean(({ loss }) => loss),
    crossEntropy: mean(({ crossEntropy }) => crossEntropy),
    divergence: sums.some(({ divergence }) => divergence === null) ? null : mean(({ divergence }) => divergence!),
  };
}

function nothingCounts(firstTargets: readonly number[] | undefined): LabError {
  return firstTargets === undefined
    ? new LabError('bad-argument', 'sequences: none has two tokens, so nothing is predicted.', 'Give longer sequences.')
    : new LabError(
        'bad-argument',
        'firstTargets: expected a token whose loss counts, got only sequences that end before their first target.',
        'Give sequences that reach into their responses.',
      );
}

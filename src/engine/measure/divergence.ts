/**
 * @file How far variants' predictions are from the base's: mean KL(whole ‖ variant) per predicted token.
 *
 * All variants of a call walk the blocks together: those that have passed the same sub-blocks so far share one slot of
 * a growing batch, so that a search's candidates, which differ in a few blocks, share most of their way.
 */

import { LabError } from '../../errors';
import type { LayerShape } from '../../model/shape';
import { hasUnit, type SubBlock, subBlocksOf } from '../../model/unit';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import type { Rows } from '../pass/parts';
import { type EngineParts, embedBatch, progressSteps, sumLosses } from '../pass/runtime';
import { type Batch, makeBatches, predictedTokens } from '../pass/sequences';
import type { BaseStates } from './baseStates';
import { divergenceRows } from './divergenceHead';
import { type PrefixPlan, planPrefixes } from './prefixes';

export interface DivergenceOptions extends TaskOptions {
  /** Keeps the base's final states from call to call. */
  readonly base?: BaseStates | undefined;
}

export interface Divergence {
  /** Mean over all predicted tokens of KL(whole ‖ variant) in nats, per variant. */
  readonly kl: number[];
  /**
   * Passes of a sequence through a sub-block that were made, and that separate passes of every variant would have
   * taken.
   */
  readonly passes: { readonly made: number; readonly separate: number };
}

/** Divergence of each variant, given as layers of the base in their order, some or parts of some left out. */
export async function divergence(
  parts: EngineParts,
  variants: readonly (readonly LayerShape[])[],
  sequences: TokenSequences,
  options: DivergenceOptions,
): Promise<Divergence> {
  const tokens = predictedTokens(sequences);
  if (tokens === 0) {
    throw new LabError(
      'bad-argument',
      'sequences: none has two tokens, so nothing is predicted.',
      'Give longer sequences.',
    );
  }
  const subBlocks = subBlocksOf(parts.shape.layers);
  const passes = variants.map((layers, index) => passesOf(parts.shape.layers, layers, index));
  // Neighbours share most: where not all fit a round, those that begin alike go together.
  const order = passes
    .map((_, index) => index)
    .sort((a, b) => keyOf(passes[a]!).localeCompare(keyOf(passes[b]!)) || a - b);
  const sums = new Array<number>(variants.length).fill(0);
  const slotRows = Math.floor(parts.sweepBytes / (4 * parts.shape.hidden));
  const batches = makeBatches(sequences, Math.floor(slotRows / (variants.length + 1)));
  const step = progressSteps(options, 'divergence', sequences.length * variants.length, variants.length, 'candidates');
  let made = 0;
  const mostIn = (batch: Batch): number => Math.max(1, Math.floor(slotRows / batch.tokens.length) - 1);
  const rounds = batches.reduce((sum, batch) => sum + Math.ceil(order.length / mostIn(batch)), 0);
  parts.forward.follow(Array.from({ length: rounds }, () => parts.shape.layers).flat());
  for (const batch of batches) {
    const most = mostIn(batch);
    const walk = new BatchWalk(parts, subBlocks, batch, sequences, options.base);
    await walk.begin();
    for (let first = 0; first < order.length; first += most) {
      const group = order.slice(first, first + most);
      const found = await walk.run(group.map((index) => passes[index]!));
      found.kl.forEach((kl, index) => {
        sums[group[index]!]! += kl;
      });
      made += found.made * batch.sequences.length;
      step(group.length * batch.sequences.length);
    }
    walk.end();
  }
  const separate = sequences.length * passes.flat().filter(Boolean).length;
  // Rounding may leave a hair less than nothing.
  return { kl: sums.map((sum) => Math.max(0, sum / tokens)), passes: { made, separate } };
}

const keyOf = (passes: readonly boolean[]): string => passes.map((pass) => (pass ? '0' : '1')).join('');

/** Whether a variant has each sub-block of the base. */
function passesOf(base: readonly LayerShape[], variant: readonly LayerShape[], index: number): boolean[] {
  const left = [...variant];
  const passes = base.flatMap((layer) => {
    const mine = left[0] !== undefined && isPartOf(left[0], layer) ? left.shift()! : null;
    return subBlocksOf([layer]).map((unit) => mine !== null && hasUnit([mine], unit));
  });
  if (left.length === 0) return passes;
  throw new LabError(
    'bad-argument',
    `variant ${index}: expected whole sub-blocks of the model in their order, got block ${left[0]!.source} at ${variant.length - left.length}.`,
    'Leave blocks, attentions or MLPs out, but do not move, repeat or narrow them.',
  );
}

/** Whether a variant's layer is one of the base, with or without either of its sub-blocks. */
function isPartOf(mine: LayerShape, layer: LayerShape): boolean {
  const { source, heads, ffn } = mine;
  return source === layer.source && [0, layer.heads].includes(heads) && [0, layer.ffn].includes(ffn);
}

/** One batch of sequences on its way, once or in several rounds of variants. */
class BatchWalk {
  readonly #parts: EngineParts;
  readonly #subBlocks: readonly SubBlock[];
  readonly #batch: Batch;
  readonly #sequences: TokenSequences;
  readonly #kept: BaseStates | undefined;
  /** The base's final states [rows, hidden], and whether they are there. */
  #base: GPUBuffer | null = null;
  #known = false;

  constructor(
    parts: EngineParts,
    subBlocks: readonly SubBlock[],
    batch: Batch,
    sequences: TokenSequences,
    kept: BaseStates | undefined,
  ) {
    this.#parts = parts;
    this.#subBlocks = subBlocks;
    this.#batch = batch;
    this.#sequences = batch.sequences.map((sequence) => sequences[sequence]!);
    this.#kept = kept;
  }

  get #rows(): number {
    return this.#batch.tokens.length;
  }

  get #slotBytes(): number {
    return this.#rows * this.#parts.shape.hidden * 4;
  }

  /** Looks for the base's kept states. */
  async begin(): Promise<void> {
    const { buffers, shape, queue } = this.#parts;
    this.#base = await buffers.acquire(this.#slotBytes, 'final states of the whole model');
    const states = this.#sequences.map((sequence) => this.#kept?.of(sequence));
    if (states.some((state) => state === undefined)) return;
    const joined = new Float32Array(this.#rows * shape.hidden);
    states.forEach((state, sequence) => {
      joined.set(state!, sequence * this.#batch.seqLen * shape.hidden);
    });
    await queue.write(this.#base, joined);
    this.#known = true;
  }

  /** Σ KL of each variant over the batch's predicted tokens, and how many passes of the batch through a sub-block it took. */
  async run(passes: readonly (readonly boolean[])[]): Promise<{ kl: number[]; made: number }> {
    const { buffers, queue } = this.#parts;
    const all = this.#known ? passes : [...passes, this.#subBlocks.map(() => true)];
    const plan = planPrefixes(all);
    const hidden = await buffers.acquire(plan.slots * this.#slotBytes, 'hidden of all variants');
    await this.#walk(plan, hidden);
    const rows = this.#rows;
    if (!this.#known) await this.#remember(hidden, plan.slotOf.at(-1)!);
    const wanted = [...new Set(passes.map((_, index) => plan.slotOf[index]!))];
    const kl = await buffers.acquire(wanted.length * rows * 4, 'divergences');
    const rowsOf = (slot: number): Rows => ({ buffer: hidden, first: slot * rows, count: rows });
    await divergenceRows(this.#parts, { buffer: this.#base!, first: 0, count: rows }, wanted.map(rowsOf), kl);
    const values = new Float32Array(await queue.read(kl, wanted.length * rows * 4));
    for (const used of [hidden, kl]) buffers.release(used);
    const sums = wanted.map((_, place) => sumLosses(this.#batch, values, place * rows).reduce((a, b) => a + b, 0));
    return {
      kl: passes.map((_, index) => sums[wanted.indexOf(plan.slotOf[index]!)]!),
      made: plan.subBlocks.reduce((sum, { active }) => sum + active, 0),
    };
  }

  end(): void {
    if (this.#base) this.#parts.buffers.release(this.#base);
  }

  async #walk(plan: PrefixPlan, hidden: GPUBuffer): Promise<void> {
    const { buffers, forward, queue } = this.#parts;
    const bytes = this.#slotBytes;
    // Within one buffer WebGPU copies nothing, so states go by way of others.
    const between = await buffers.acquire(bytes, 'hidden copy');
    const beside = await buffers.acquire(bytes, 'hidden copy');
    const takeOut = (slot: number, to: GPUBuffer): void => queue.copy(hidden, slot * bytes, to, 0, bytes);
    const putIn = (from: GPUBuffer, slot: number): void => queue.copy(from, 0, hidden, slot * bytes, bytes);
    await embedBatch(this.#parts, this.#batch, hidden);
    for (const [index, { copies, swaps, active }] of plan.subBlocks.entries()) {
      for (const [from, to] of copies) {
        takeOut(from, between);
        putIn(between, to);
      }
      for (const [a, b] of swaps) {
        takeOut(a, between);
        takeOut(b, beside);
        putIn(between, b);
        putIn(beside, a);
      }
      if (active === 0) continue;
      const unit = this.#subBlocks[index]!;
      const layer = this.#parts.shape.layers[unit.layer]!;
      const rows = { buffer: hidden, first: 0, count: active * this.#rows };
      if (unit.kind === 'attention') await forward.attention(layer, rows, this.#batch.seqLen);
      else await forward.mlp(layer, rows);
    }
    for (const used of [between, beside]) buffers.release(used);
  }

  /** Takes the base's final states out of their slot; keeps them for later calls where there is room. */
  async #remember(hidden: GPUBuffer, slot: number): Promise<void> {
    const { shape, queue } = this.#parts;
    queue.copy(hidden, slot * this.#slotBytes, this.#base!, 0, this.#slotBytes);
    this.#known = true;
    if (!this.#kept?.hasRoom(this.#sequences.reduce((sum, { length }) => sum + length * shape.hidden * 4, 0))) return;
    const states = new Float32Array(await queue.read(this.#base!, this.#slotBytes));
    this.#sequences.forEach((sequence, index) => {
      const first = index * this.#batch.seqLen * shape.hidden;
      this.#kept!.keep(sequence, states.subarray(first, first + sequence.length * shape.hidden));
    });
  }
}

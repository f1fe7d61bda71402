/**
 * @file Writing with a cache: a text's tokens go through the layers once, and each next one alone.
 *
 * Every step is a task of its own: between two tokens others have their turn. The cache lives from the first step until the
 * decoder is closed; everything else is taken and given back within a step. The weights are those that the engine
 * holds, blocks that take turns included.
 */
import type { LayerShape } from '../../model/shape';
import type { TaskOptions } from '../../task';
import type { Buffers } from '../gpu/buffers';
import type { Kernel } from '../gpu/kernel';
import { cacheAppend, cacheCombine, cacheMix, cacheScores, chunkKeys } from '../kernels/cachedAttention';
import { gatedMlp } from '../kernels/gatedMlp';
import { linearRow } from '../kernels/linearRow';
import { attentionOutput, mix, projectQkv } from './attention';
import { Forward } from './forward';
import { inputOf } from './norms';
import { pieces, type Rows, scoreCost, touch } from './parts';
import { inOneRow } from './projection';
import { type EngineParts, embedBatch } from './runtime';
import { makeBatches } from './sequences';
import { TextCache } from './textCache';

export interface DecoderOptions {
  /** Tokens of the longest text, the prompt included. */
  readonly positions: number;
  /** Tokens that go through the layers at once, at most. */
  readonly stepTokens?: number | undefined;
}

/** Runs a step as a task of the engine. */
export type Run = <T>(
  task: TaskOptions,
  tokens: readonly number[],
  work: (parts: EngineParts) => Promise<T>,
) => Promise<T>;

/** Tokens of a step: a task that goes by many waits no longer for it than for a window. */
const usualStep = 256;
/** Memory for the scores of a step's queries, bytes. */
const scoreBytes = 2 ** 23;
/** What a layer without a window says to the kernels: more than any text has. */
const noWindow = 2 ** 31;

/**
 * What the texts of an engine share: a pool whose buffers wait from one token to the next, since making a dozen anew would
 * take longer than a token's products, and a forward pass on it. It is empty while no text is open.
 */
export class TextPool {
  readonly #buffers: Buffers;
  readonly #forward: Forward;
  #texts = 0;

  constructor(parts: Omit<EngineParts, 'forward'>) {
    this.#buffers = parts.buffers.sibling();
    this.#forward = new Forward({ ...parts, buffers: this.#buffers });
  }

  /** Some text is open. */
  get isOpen(): boolean {
    return this.#texts > 0;
  }

  open(): void {
    this.#texts += 1;
  }

  close(): void {
    this.#texts -= 1;
    if (this.#texts === 0) this.#buffers.endTask();
  }

  /** The work of a step, on the parts of its task but for the pool. */
  async step<T>(parts: EngineParts, work: (parts: EngineParts) => Promise<T>): Promise<T> {
    try {
      return await work({ ...parts, buffers: this.#buffers, forward: this.#forward });
    } catch (thrown) {
      this.#buffers.endTask(); // what it had taken, nobody gives back
      throw thrown;
    }
  }
}

/** One text in the making. */
export class Decoder {
  readonly #run: Run;
  readonly #pool: TextPool;
  readonly #layers: readonly LayerShape[];
  readonly #stepTokens: number;
  readonly #cache: TextCache;
  #prepared = false;
  #closed = false;

  constructor(run: Run, pool: TextPool, layers: readonly LayerShape[], bindingBytes: number, options: DecoderOptions) {
    this.#run = (task, tokens, work) => run(task, tokens, (parts) => pool.step(parts, work));
    this.#pool = pool;
    pool.open();
    this.#layers = layers;
    this.#stepTokens = options.stepTokens ?? usualStep;
    this.#cache = new TextCache(layers, options.positions, this.#stepTokens, bindingBytes);
  }

  /** Tokens so far. */
  get filled(): number {
    return this.#cache.filled;
  }

  /**
   * Takes tokens behind those before, and resolves to the logits [vocab] of the one that follows the last. Call one
   * after the other. After a failure the tokens of the steps that ended stay.
   */
  async logits(tokens: readonly number[], task: TaskOptions = {}): Promise<Float32Array> {
    const stepTokens = this.#stepTokens;
    let done = 0;
    for (; tokens.length - done > stepTokens; done += stepTokens) {
      const piece = tokens.slice(done, done + stepTokens);
      await this.#run(task, piece, async (parts) => {
        const hidden = await this.#forward(parts, piece);
        parts.buffers.release(hidden.buffer);
        await parts.queue.finish();
        this.#cache.filled += piece.length;
      });
      task.onProgress?.({ stage: 'Reading the prompt', done: done + stepTokens, total: tokens.length, unit: 'tokens' });
    }
    const last = tokens.slice(done);
    return this.#run(task, last, async (parts) => {
      const { buffer, count } = await this.#forward(parts, last);
      const logits = await parts.forward.logits({ buffer, first: count - 1, count: 1 });
      this.#cache.filled += last.length;
      return logits;
    });
  }

  /** Frees what is kept of it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cache.free();
    this.#pool.close();
  }

  /** The residual stream [tokens, hidden] behind the layers; keys and values are in the cache. */
  async #forward(parts: EngineParts, tokens: readonly number[]): Promise<Rows> {
    if (this.#closed) throw new RangeError('this text is closed');
    const { buffers, forward, shape, queue } = parts;
    if (!this.#prepared) {
      await queue.prepare(this.#kernels(parts));
      this.#prepared = true;
    }
    const count = tokens.length;
    await this.#cache.reserve(this.#cache.filled + count, buffers, queue);
    const [batch] = makeBatches([tokens], count);
    const hidden = { buffer: await buffers.acquire(count * shape.hidden * 4, 'hidden'), first: 0, count };
    forward.follow(this.#layers);
    await embedBatch(parts, batch!, hidden.buffer);
    for (const [index, layer] of this.#layers.entries()) {
      await this.#attention(parts, index, layer, hidden);
      await forward.mlp(layer, hidden);
    }
    return hidden;
  }

  /** hidden += oProj(attention(norm(hidden))) with the tokens before; nothing for a layer without heads. */
  async #attention(parts: EngineParts, index: number, layer: LayerShape, hidden: Rows): Promise<void> {
    const { buffers, forward, queue } = parts;
    const { heads, kvHeads, headDim } = layer;
    if (heads === 0) return;
    const { count } = hidden;
    const first = this.#cache.filled;
    const weights = (await forward.weightsOf(layer)).attention!;
    const x = await inputOf(parts, weights.norm, hidden);
    const qkv = await projectQkv(parts, weights, x, count);
    buffers.release(x);
    await forward.normalizeAndRotate(layer, weights, qkv, { rows: count, seqLen: count }, { first });
    const { buffer: cache, slots } = this.#cache.of(index);
    const cols = 2 * kvHeads * headDim;
    const params = { rows: count, cols, skip: heads * headDim, first, slots };
    await queue.launch(cacheAppend, { qkv, cache }, params, count * cols * touch);
    const mixed = first === 0 && count > 1 ? await mixAlone(parts, layer, qkv, count) : null;
    const y = mixed ?? (await buffers.acquire(count * heads * headDim * 4, 'attention'));
    if (mixed === null) await this.#mix(parts, layer, qkv, { buffer: cache, slots }, y, count);
    buffers.release(qkv);
    await attentionOutput(parts, weights, y, hidden);
    buffers.release(y);
  }

  /** y [count, heads·headDim] = the attention of the last `count` tokens over those that they see in the cache. */
  async #mix(
    parts: EngineParts,
    layer: LayerShape,
    qkv: GPUBuffer,
    { buffer: cache, slots }: { buffer: GPUBuffer; slots: number },
    y: GPUBuffer,
    count: number,
  ): Promise<void> {
    const { buffers, queue } = parts;
    const { heads, kvHeads, headDim, attnScale: scale = 1 / Math.sqrt(headDim), scoreSoftcap } = layer;
    const { window = noWindow } = layer;
    const first = this.#cache.filled;
    const fours = Math.ceil(headDim / 4);
    const seen = Math.min(first + count, window + count);
    const flopsOfRow = 2 * heads * seen * headDim * scoreCost;
    const unit = Math.max(1, Math.floor(scoreBytes / (4 * heads * seen)));
    for (const piece of pieces(parts, count, flopsOfRow, 1)) {
      for (let done = 0; done < piece.count; done += unit) {
        const rows = Math.min(unit, piece.count - done);
        const rowFirst = piece.first + done;
        // Of all keys those that the first row sees from, up to the last row's own.
        const keyFirst = Math.max(0, first + rowFirst + 1 - window);
        const keys = first + rowFirst + rows - keyFirst;
        const chunks = Math.ceil(keys / chunkKeys);
        const scores = await buffers.acquire(rows * heads * keys * 4, 'scores');
        const sums = await buffers.acquire(rows * heads * chunks * 8, 'sums of stretches');
        const values = await buffers.acquire(rows * heads * chunks * fours * 16, 'values of stretches');
        const sizes = { rows, keyFirst, keys, slots, heads, kvHeads, headDim };
        const scoring = { ...sizes, rowFirst, first, window: Math.min(window, noWindow), scale };
        const flops = rows * flopsOfRow;
        await queue.launch(cacheScores(headDim, scoreSoftcap), { qkv, cache, scores }, scoring, flops);
        const mixing = { ...sizes, chunk: chunkKeys };
        await queue.launch(cacheMix(headDim), { scores, cache, sums, values }, mixing, flops);
        const joining = { rows, heads, headDim, chunks, yFirst: rowFirst };
        await queue.launch(cacheCombine, { sums, values, y }, joining, rows * heads * headDim * touch);
        for (const used of [scores, sums, values]) buffers.release(used);
      }
    }
  }

  /** What one token needs beside the kernels of a pass: to be compiled side by side. */
  #kernels(parts: EngineParts): Set<Kernel> {
    const { context, weights } = parts;
    const kernels = new Set<Kernel>([cacheAppend, cacheCombine]);
    const { software } = context.info;
    const row = ({ dtype, inner }: { dtype: Parameters<typeof linearRow>[0]; inner: number }): void => {
      if (inOneRow(parts, 1)) kernels.add(linearRow(dtype, inner, software));
    };
    for (const part of weights.head) row(part);
    for (const layer of this.#layers) {
      const layout = weights.blocks.layouts.get(layer.source);
      if (layer.heads > 0 && layout?.attention) {
        kernels.add(cacheScores(layer.headDim, layer.scoreSoftcap));
        kernels.add(cacheMix(layer.headDim));
        row(layout.attention.qkv);
        row(layout.attention.out);
      }
      if (layer.ffn > 0 && layout?.mlp) {
        if (inOneRow(parts, 1) || layout.mlp.gateUpBias) kernels.add(gatedMlp(layer).gated);
        row(layout.mlp.gateUp);
        row(layout.mlp.down);
      }
    }
    return kernels;
  }
}

/** An acquired buffer with the attention of the first tokens of a text, which no others precede: that of a sequence. */
async function mixAlone(parts: EngineParts, layer: LayerShape, qkv: GPUBuffer, count: number): Promise<GPUBuffer> {
  const { mixed, lse } = await mix(parts, layer, qkv, { rows: count, seqLen: count });
  parts.buffers.release(lse);
  return mixed;
}

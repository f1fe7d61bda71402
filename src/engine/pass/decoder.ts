/**
 * @file Generating text with a cache: a text's tokens pass the layers once, and each next token passes them alone.
 *
 * Every step is a task of its own, so other tasks run between two tokens. The cache exists from the first step until the
 * decoder is closed; a step acquires and releases everything else. The weights are the engine's, offloaded blocks included.
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

/** Tokens of a step: other tasks wait no longer for it than for a sequence of an analysis. */
const usualStep = 256;
/** Memory for the scores of a step's queries, bytes. */
const scoreBytes = 2 ** 23;
/** The window that kernels get for a layer without one: longer than any text. */
const noWindow = 2 ** 31;

/**
 * The texts of an engine share this: a pool of buffers, and a forward pass that uses it. The pool keeps its buffers from one token
 * to the next, because allocating a dozen takes longer than a token's matmuls. It is empty while no text is open.
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

  /** Runs a step on the parts of its task, with this pool in place of theirs. */
  async step<T>(parts: EngineParts, work: (parts: EngineParts) => Promise<T>): Promise<T> {
    try {
      return await work({ ...parts, buffers: this.#buffers, forward: this.#forward });
    } catch (thrown) {
      this.#buffers.endTask(); // nothing else releases the buffers that it acquired
      throw thrown;
    }
  }
}

/** One text that is being generated. */
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
   * Appends tokens to the text, and resolves to the logits [vocab] of the token that follows. Await each call before the next. After
   * a failure the text keeps the tokens of the steps that ended.
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

  /** Frees the cache. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cache.free();
    this.#pool.close();
  }

  /** The residual stream [tokens, hidden] after the layers; keys and values are in the cache. */
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
        const sums = await buffers.acquire(rows * heads * chunks * 8, 'sums of chunks');
        const values = await buffers.acquire(rows * heads * chunks * fours * 16, 'values of chunks');
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

  /** Every kernel that one token needs beyond those of a pass, to be compiled several at a time. */
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

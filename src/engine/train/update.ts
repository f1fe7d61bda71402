/** @file The update of a step: the global norm of the gradients, and AdamW on the elements whose gradients are known. */
import type { AdamW } from '../../numerics/adamw';
import { adamw, adamwParams, squareSum, squareSumPartials } from '../kernels/adamw';
import { touch } from '../pass/parts';
import type { EngineParts } from '../pass/runtime';
import type { MomentStore } from './moments';
import type { GradientPart, Trainable, TrainedTensor } from './trainable';

export interface UpdateSetting {
  readonly optimizer: AdamW;
  /** Which tensors decay: all unless told. */
  readonly decay?: 'all' | 'matrices' | undefined;
}

/** √ Σ g² over all gradients, which come part by part. */
export class GradientNorm {
  readonly #parts: EngineParts;
  #waiting: { readonly partials: GPUBuffer; readonly count: number; readonly key: string }[] = [];
  readonly #squares = new Map<string, number>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  async add({ tensor, buffer, count }: Omit<GradientPart, 'first'>): Promise<void> {
    const { buffers, queue } = this.#parts;
    const partialCount = squareSumPartials(count);
    const partials = await buffers.acquire(partialCount * 4, 'squares of gradients');
    await queue.launch(squareSum, { x: buffer, partials }, { count, partialCount, first: 0 }, count * touch);
    this.#waiting.push({ partials, count: partialCount, key: tensor.key });
  }

  /**
   * Of all gradients so far, in the order of the given tensors, so that the sum does not depend on the order in which their
   * gradients came.
   */
  async value(tensors: readonly TrainedTensor[]): Promise<number> {
    await this.#readBack();
    return Math.sqrt(tensors.reduce((sum, { key }) => sum + (this.#squares.get(key) ?? 0), 0));
  }

  async #readBack(): Promise<void> {
    const { buffers, queue } = this.#parts;
    const waiting = this.#waiting.splice(0);
    if (waiting.length === 0) return;
    const total = waiting.reduce((sum, { count }) => sum + count, 0);
    const all = await buffers.acquire(total * 4, 'squares of gradients');
    let first = 0;
    for (const { partials, count } of waiting) {
      queue.copy(partials, 0, all, first * 4, count * 4);
      first += count;
    }
    const squares = new Float32Array(await queue.read(all, total * 4));
    for (const { partials } of waiting) buffers.release(partials);
    buffers.release(all);
    first = 0;
    for (const { key, count } of waiting) {
      const sum = squares.subarray(first, first + count).reduce((a, b) => a + b, 0);
      this.#squares.set(key, (this.#squares.get(key) ?? 0) + sum);
      first += count;
    }
  }
}

export class Update {
  readonly #parts: EngineParts;
  readonly #trained: Trainable;
  readonly #moments: MomentStore;
  readonly #params: Record<'matrix' | 'vector', ReturnType<typeof adamwParams>>;

  /**
   * @param step counts from 1
   * @param scale multiplies the gradients
   */
  constructor(
    parts: EngineParts,
    trained: Trainable,
    moments: MomentStore,
    { optimizer, decay = 'all' }: UpdateSetting,
    step: number,
    scale: number,
  ) {
    this.#parts = parts;
    this.#trained = trained;
    this.#moments = moments;
    const ofVectors = decay === 'all' ? optimizer : { ...optimizer, weightDecay: 0 };
    this.#params = { matrix: adamwParams(optimizer, step, scale), vector: adamwParams(ofVectors, step, scale) };
  }

  /** Changes the weights whose gradient this is, and their moments. */
  async apply({ tensor, buffer: gradient, first, count }: GradientPart): Promise<void> {
    const { queue } = this.#parts;
    const params = this.#params[tensor.vector === true ? 'vector' : 'matrix'];
    for (const target of await this.#trained.targets(this.#parts, tensor, true)) {
      const { weight, weightFirst, stateFirst } = target;
      const from = Math.max(first, stateFirst);
      const end = Math.min(first + count, stateFirst + target.count);
      if (from >= end) continue;
      const range = { first: from, count: end - from };
      await this.#moments.change(this.#parts, tensor, range, async ({ moments, momentFirst, begin, count: some }) => {
        const place = { weightFirst: weightFirst + begin - stateFirst, gradientFirst: begin - first, momentFirst };
        await queue.launch(adamw, { gradient, weight, ...moments }, { count: some, ...place, ...params }, some * touch);
      });
    }
  }
}

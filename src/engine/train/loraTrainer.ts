/** @file Training of low-rank factors: a trainer whose factors can be handed out, and merged into matrices. */
import type { ModelShape, ProjectionRole } from '../../model/shape';
import type { TaskOptions } from '../../task';
import { addProduct } from '../pass/adapter';
import { Adapters } from './adapters';
import type { Factor, LoraTraining } from './loraSetting';
import { readPieces } from './pieces';
import { type RunStep, Trainer } from './trainer';

/** A factor with its values. */
export interface FactorValues extends Factor {
  /** As in the layer's shape. */
  readonly source: number;
  readonly values: Float32Array<ArrayBuffer>;
}

/** Elements of a matrix that are merged at a time. */
const mergedElements = 2 ** 22;

export class LoraTrainer extends Trainer {
  readonly #runPrepared: RunStep;
  readonly #shape: ModelShape;
  readonly #adapters: Adapters;

  /** @throws LabError 'bad-argument' for a setting outside its domain */
  constructor(run: RunStep, shape: ModelShape, setting: LoraTraining) {
    const adapters = new Adapters(setting);
    const runPrepared: RunStep = (task, sequences, work) =>
      run(task, sequences, async (parts) => {
        await adapters.prepare(parts);
        return work(parts);
      });
    super(runPrepared, adapters);
    this.#runPrepared = runPrepared;
    this.#shape = shape;
    this.#adapters = adapters;
  }

  /** The projections that have factors, by the index of their layer. */
  get targets(): { readonly layer: number; readonly role: ProjectionRole }[] {
    return this.#adapters.tensors({ shape: this.#shape }).filter(({ kind }) => kind === 'A');
  }

  /** Gives the factors to the view, as the first step would: from then on every pass of the view computes with them. */
  async prepare(task: TaskOptions = {}): Promise<void> {
    await this.#runPrepared(task, null, async () => undefined);
  }

  /** Every factor as it is now, one at a time, layer by layer. */
  async *factors(task: TaskOptions = {}): AsyncGenerator<FactorValues> {
    for (const tensor of this.#adapters.tensors({ shape: this.#shape })) {
      const values = new Float32Array(tensor.count);
      await this.#runPrepared(task, null, async (parts) => {
        for (const { weight, weightFirst, stateFirst, count } of await this.#adapters.targets(parts, tensor)) {
          let first = stateFirst;
          for await (const piece of readPieces(parts, weight, weightFirst, count)) {
            values.set(piece, first);
            first += piece.length;
          }
        }
      });
      const { layer, source, role, kind, dims } = tensor;
      yield { layer, source, role, kind, dims, values };
    }
  }

  /**
   * A projection's matrix [cols, inner] plus alpha / rank · B · A: with the frozen values, a model with the result and no factors
   * computes what the view computes with them. The matrix that is given stays as it is.
   */
  async merged(
    { layer, role }: { readonly layer: number; readonly role: ProjectionRole },
    matrix: Float32Array<ArrayBuffer>,
    task: TaskOptions = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    const result = new Float32Array(matrix.length);
    await this.#runPrepared(task, null, async (parts) => {
      const { buffers, queue, shape } = parts;
      const factors = this.#adapters.factorsOf(shape, layer, role);
      const { cols, inner } = factors;
      const rows = Math.min(cols, Math.max(1, Math.floor(mergedElements / inner)));
      const buffer = await buffers.acquire(rows * inner * 4, 'rows of a merged matrix');
      for (let first = 0; first < cols; first += rows) {
        const count = Math.min(rows, cols - first);
        await queue.write(buffer, matrix.subarray(first * inner, (first + count) * inner));
        await addProduct(parts, factors, buffer, first, count);
        result.set(new Float32Array(await queue.read(buffer, count * inner * 4)), first * inner);
      }
      buffers.release(buffer);
    });
    return result;
  }
}

/** @file The gradients of the embedding and the head as two numbers each, added chunk by chunk in float64. */

import { foldedCount, foldPairs } from '../kernels/foldPairs';
import type { WeightFactors } from '../pass/gradientSink';
import { touch } from '../pass/parts';
import type { EngineParts } from '../pass/runtime';
import type { VocabularyRole, VocabularyRows, VocabularySink } from '../pass/vocabularyBackward';
import { weightGradient } from '../pass/weightGradient';
import type { Salience } from './salience';

export class VocabularySalience implements VocabularySink {
  readonly #parts: EngineParts;
  readonly #sums = new Map<VocabularyRole, { salience: number; squares: number }>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  async chunk(role: VocabularyRole, gradient: GPUBuffer, _rows: VocabularyRows, empty: WeightFactors): Promise<void> {
    const { buffers, queue } = this.#parts;
    const { partials, pairs } = await weightGradient(this.#parts, empty, gradient, { carryIn: 1, carryOut: 0 });
    const count = foldedCount(pairs);
    const sums = await buffers.acquire(count * 8, 'sums');
    await queue.launch(foldPairs, { pairs: partials, sums }, { length: pairs, count, first: 0 }, pairs * touch);
    const values = new Float32Array(await queue.read(sums, count * 8));
    for (const used of [partials, sums]) buffers.release(used);
    let { salience, squares } = this.#sums.get(role) ?? { salience: 0, squares: 0 };
    for (let i = 0; i < values.length; i += 2) {
      salience += values[i]!;
      squares += values[i + 1]!;
    }
    this.#sums.set(role, { salience, squares });
  }

  /** The sums so far, by role. */
  read(): Partial<Record<VocabularyRole, Salience>> {
    return Object.fromEntries(
      [...this.#sums].map(([role, { salience, squares }]) => [role, { salience, gradientNorm: Math.sqrt(squares) }]),
    );
  }
}

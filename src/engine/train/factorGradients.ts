/** @file The gradients of a step's low-rank factors, gathered over its batches. */
import { type LayerRole, type ProjectionRole, projectionRoles } from '../../model/shape';
import { adapterGradients } from '../pass/adapter';
import type { GradientSink, WeightFactors } from '../pass/gradientSink';
import type { EngineParts } from '../pass/runtime';
import { type AdapterFactors, roleDropout } from '../weights/adapters';
import { type FactorKind, factorKey } from './loraSetting';
import type { StepGradients, TrainedGradient } from './trainable';

/** The factors of a projection; null where it has none. */
export type FactorsOf = (layer: number, role: ProjectionRole) => AdapterFactors | null;

export class FactorGradients implements StepGradients {
  readonly #parts: EngineParts;
  readonly #factorsOf: FactorsOf;
  readonly #blocks = new Map<number, BlockFactorGradients>();

  constructor(parts: EngineParts, factorsOf: FactorsOf) {
    this.#parts = parts;
    this.#factorsOf = factorsOf;
  }

  sinkFor(place: number | 'finalNorm'): GradientSink {
    if (place === 'finalNorm') return nothing;
    const sink = new BlockFactorGradients(this.#parts, place, this.#factorsOf);
    this.#blocks.set(place, sink);
    return sink;
  }

  gradients(): TrainedGradient[] {
    return [...this.#blocks.values()].flatMap(({ gradients }) => gradients);
  }
}

/** A sink that computes nothing. */
const nothing: GradientSink = {
  async weight() {
    // Frozen.
  },
  async norm() {
    // Frozen.
  },
  async headNorm() {
    // Frozen.
  },
};

/** Gathers the gradients of the factors of one block. */
class BlockFactorGradients implements GradientSink {
  readonly norm = nothing.norm;
  readonly headNorm = nothing.headNorm;
  readonly normsAreFrozen = true;
  readonly #parts: EngineParts;
  readonly #layer: number;
  readonly #factorsOf: FactorsOf;
  readonly #byRole = new Map<ProjectionRole, readonly [a: TrainedGradient, b: TrainedGradient]>();

  constructor(parts: EngineParts, layer: number, factorsOf: FactorsOf) {
    this.#parts = parts;
    this.#layer = layer;
    this.#factorsOf = factorsOf;
  }

  /** In the order of the trained tensors. */
  get gradients(): TrainedGradient[] {
    return projectionRoles.flatMap((role) => this.#byRole.get(role) ?? []);
  }

  async weight(weightRole: LayerRole, factors: WeightFactors): Promise<void> {
    const role = projectionRoles.find((one) => one === weightRole);
    const adapter = role === undefined ? null : this.#factorsOf(this.#layer, role);
    if (role === undefined || adapter === null) return;
    const { forward, shape } = this.#parts;
    const known = this.#byRole.get(role);
    const [a, b] = known ?? (await this.#acquire(role, adapter));
    const { source } = shape.layers[this.#layer]!;
    const dropout = forward.dropout && roleDropout(forward.dropout, source, role);
    const into = { a: a.buffer, b: b.buffer };
    await adapterGradients(this.#parts, { ...adapter, dropout }, factors, into, known !== undefined);
  }

  async #acquire(role: ProjectionRole, { rank, inner, cols }: AdapterFactors) {
    const make = async (kind: FactorKind, count: number): Promise<TrainedGradient> => {
      const key = factorKey(this.#layer, role, kind);
      const buffer = await this.#parts.buffers.acquire(count * 4, `gradient of ${key}`);
      return { key, layer: this.#layer, count, buffer };
    };
    const both = [await make('A', rank * inner), await make('B', cols * rank)] as const;
    this.#byRole.set(role, both);
    return both;
  }
}

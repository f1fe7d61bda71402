/** @file What a repair works on, and what it makes. */
import type { Engine } from '../engine/engine';
import type { LayerRole, ModelRole } from '../model/shape';
import type { TokenSequences } from '../numerics/tokens';
import type { Weighted } from '../pruning/cuts';
import type { PruningPlan } from '../pruning/plan';
import type { Rescaling } from '../pruning/variant';
import type { TensorToWrite } from '../shards/formats/safetensors';
import type { TaskOptions } from '../task';

/** What repairs ask of an engine. */
export type RepairProbe = Pick<Engine, 'capture' | 'widthStatistics'>;

/** Opens a model on the GPU for the time of `work`. */
export type OpenModel = <T>(model: Weighted, work: (probe: RepairProbe) => Promise<T>, task: TaskOptions) => Promise<T>;

export interface Setting extends TaskOptions {
  /** The unpruned model, whose names tensors get. */
  readonly base: Weighted;
  /** What is pruned: the base, or a variant of it. */
  readonly before: Weighted;
  /** What is removed, in indices of `before`. */
  readonly plan: PruningPlan;
  /** What is measured. */
  readonly sequences: TokenSequences;
  readonly open: OpenModel;
}

/** A tensor of a variant's own, under its Hugging Face name. */
export interface OwnTensor extends TensorToWrite {
  readonly role: LayerRole | ModelRole;
  /** `LayerShape.source`; null outside the blocks. */
  readonly source: number | null;
}

export interface Repair {
  /** In place of those of the pruned model. */
  readonly tensors: readonly OwnTensor[];
  /** Beside those that `before` has. */
  readonly rescalings: readonly Rescaling[];
}

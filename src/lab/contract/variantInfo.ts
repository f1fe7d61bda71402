/** @file A variant as `lab` tells it. */
import type { ModelShape } from '../../model/shape';
import type { PruningPlan } from '../../pruning/plan';
import type { Step } from '../../pruning/variant';

export interface VariantInfo {
  /** 'base' is the original model. */
  id: string;
  name: string;
  plan: PruningPlan;
  parameters: number;
  /** Share of the base's parameters that is removed, 0…1. */
  ratio: number;
  shape: ModelShape;
  /** Id of the variant that it was made from; null for the base. */
  parent: string | null;
  /** How it was made, from the base on: pruned by a plan, given weights of its own. */
  recipe: readonly Step[];
  /** Bytes that its own weights take in IndexedDB; 0 for a variant that has the base's weights. */
  patchBytes: number;
  /** Its own weights are no longer stored: it cannot be run, only discarded. */
  patchLost?: true;
  /** The factors of the LoRA training that made it are stored: it can be exported as a PEFT adapter. */
  hasAdapter?: true;
}

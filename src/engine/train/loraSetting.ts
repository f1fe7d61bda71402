/** @file The setting of a training of low-rank factors, and their values before the first step. */

import { LabError } from '../../errors';
import { type ProjectionRole, projectionRoles } from '../../model/shape';
import { createRandom, mixSeed } from '../../numerics/random';

export type FactorKind = 'A' | 'B';

/** A factor: A is [rank, inner], B [cols, rank]. */
export interface Factor {
  /** Index of the layer in the view. */
  readonly layer: number;
  readonly role: ProjectionRole;
  readonly kind: FactorKind;
  readonly dims: readonly [rows: number, columns: number];
}

export interface LoraTraining {
  readonly rank: number;
  /** What the factors add is multiplied by alpha / rank. */
  readonly alpha: number;
  /** Share of the factors' input that is dropped in training; none unless given. */
  readonly dropout?: number | undefined;
  /** All seven projections unless given. */
  readonly targets?: readonly ProjectionRole[] | undefined;
  /** Of the values of A and of the dropout; 0 unless given. */
  readonly seed?: number | undefined;
  /** Values before the first step, as many as the factor has; PEFT's unless given. */
  readonly initial?: ((factor: Factor) => Float32Array<ArrayBuffer>) | undefined;
}

/** The name of a factor among a training's tensors, e.g. '3 qProj A'. */
export function factorKey(layer: number, role: ProjectionRole, kind: FactorKind): string {
  return `${layer} ${role} ${kind}`;
}

/** @throws LabError 'bad-argument' */
export function checkLora({ rank, alpha, dropout = 0, targets = projectionRoles }: LoraTraining): void {
  if (!(Number.isInteger(rank) && rank >= 1)) refuse('rank', 'a whole number from 1 on', rank);
  if (!(Number.isFinite(alpha) && alpha > 0)) refuse('alpha', 'a number above 0', alpha);
  if (!(dropout >= 0 && dropout < 1)) refuse('dropout', 'a share from 0 to below 1', dropout);
  const known = targets.every((role) => projectionRoles.includes(role));
  if (targets.length === 0 || !known) refuse('targets', `some of ${projectionRoles.join(', ')}`, targets.join(', '));
}

/**
 * A uniform in ±1/√inner (Kaiming's initialization with a = √5) from the seed, the layer and the role; B zero, so that the first step
 * starts from the frozen model. As PEFT does, with a generator of our own.
 */
export function initialFactor(seed: number, { layer, role, kind, dims }: Factor): Float32Array<ArrayBuffer> {
  const [rows, columns] = dims;
  const values = new Float32Array(rows * columns);
  if (kind === 'B') return values;
  const random = createRandom(mixSeed(mixSeed(seed, layer), projectionRoles.indexOf(role)));
  return values.map(() => (2 * random() - 1) / Math.sqrt(columns));
}

function refuse(name: string, expected: string, got: unknown): never {
  throw new LabError('bad-argument', `lora.${name}: expected ${expected}, got ${String(got)}.`, 'Change the setting.');
}

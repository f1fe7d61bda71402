/** @file The factors of a LoRA training, kept beside the merged variant: one Blob of float32 values with a table. */
import type { ProjectionRole } from '../model/shape';
import type { LoraSetting } from '../pruning/variant';

/** A factor: A is [rank, inputs] and B [outputs, rank] of the projection. */
export interface FactorPlace {
  /** Index of the layer in the model that was trained. */
  readonly layer: number;
  readonly role: ProjectionRole;
  readonly kind: 'A' | 'B';
  readonly dims: readonly [rows: number, columns: number];
}

/**
 * With the matrices W of the model `parent`, W + alpha / rank · B · A are those of the merged variant before they are rounded. Plain
 * data and a Blob: IndexedDB stores it as it is.
 */
export interface KeptAdapter {
  readonly setting: LoraSetting;
  /** Id and name of the variant whose weights were frozen. */
  readonly parent: string;
  readonly parentName: string;
  /** In the order of their values in `data`, each right behind the one before. */
  readonly factors: readonly FactorPlace[];
  /** Little-endian float32. */
  readonly data: Blob;
}

/** Keeps factors as they come, one at a time. */
export async function keepAdapter(
  setting: LoraSetting,
  { id: parent, name: parentName }: { readonly id: string; readonly name: string },
  factors: AsyncIterable<FactorPlace & { readonly values: Float32Array<ArrayBuffer> }>,
): Promise<KeptAdapter> {
  const places: FactorPlace[] = [];
  const parts: Blob[] = [];
  for await (const { layer, role, kind, dims, values } of factors) {
    places.push({ layer, role, kind, dims });
    parts.push(new Blob([values]));
  }
  const { rank, alpha, dropout, targets } = setting;
  return {
    setting: { rank, alpha, dropout, ...(targets && { targets }) },
    ...{ parent, parentName, factors: places, data: new Blob(parts) },
  };
}

/** @file Every kernel that a training of low-rank factors adds to a pass, to be compiled ahead. */
import type { Kernel } from '../gpu/kernel';
import { drop, factorGradient, lowRankTile, merge, narrow, narrowGradient, widen } from '../kernels/adapter';
import { gatedMlp } from '../kernels/gatedMlp';
import type { MatrixLayout } from '../weights/blockLayout';
import { mergingPays } from './mergedMatrix';
import { projectionBackwardKernels, projectionKernels } from './projection';
import type { EngineParts } from './runtime';

type Parts = Pick<EngineParts, 'choice' | 'context' | 'weights'>;

/** For factors of a rank beside all matrices of the view, in a pass over batches of so many rows; `drops`: with dropout. */
export function* factorKernels(
  parts: Parts,
  { rank, drops }: { readonly rank: number; readonly drops: boolean },
  rows: number,
): Generator<Kernel> {
  const { choice, context, weights } = parts;
  const tile = (...sizes: number[]) => lowRankTile(sizes, context.info.largeTiles);
  /** Whether the factors of projections with these columns become part of their matrix. */
  const merges = (matrix: MatrixLayout, columns: readonly number[]): boolean => {
    const adapters = columns.map((cols) => ({ cols, rank }));
    return !drops && mergingPays(parts, matrix, adapters, rows);
  };
  if (drops) yield drop;
  for (const { attention, mlp, shape } of weights.blocks.layouts.values()) {
    const { heads, kvHeads, headDim, ffn } = shape;
    const keys = kvHeads * headDim;
    const found = [
      ...(attention === null ? [] : [{ matrix: attention.qkv, columns: [heads * headDim, keys, keys] }]),
      ...(mlp === null ? [] : [{ matrix: mlp.gateUp, columns: [ffn, ffn] }]),
      ...[attention?.out, mlp?.down].flatMap((matrix) => (matrix ? [{ matrix, columns: [matrix.rows] }] : [])),
    ];
    for (const { matrix, columns } of found) {
      const { dtype, inner } = matrix;
      yield narrow(tile(inner));
      yield factorGradient(tile(rank, inner));
      const ofColumns = tile(rank, matrix.rows, ...columns);
      yield narrowGradient(ofColumns);
      yield factorGradient(ofColumns);
      if (!merges(matrix, columns)) {
        yield widen;
        continue;
      }
      yield merge(dtype);
      yield* projectionKernels(choice, { ...matrix, dtype: 'F32' });
      yield* projectionBackwardKernels(choice, { ...matrix, dtype: 'F32' });
    }
    if (mlp === null || mlp.gateUpBias !== null || !merges(mlp.gateUp, [ffn, ffn])) continue;
    const { inner, rows: cols } = mlp.gateUp;
    for (const name of choice.tiles('swiglu', { dtype: 'F32', inner, cols })) yield gatedMlp(shape).fused('F32', name);
  }
}

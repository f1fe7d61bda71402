/** @file Every kernel that a training of low-rank factors adds to a pass, to be compiled ahead. */
import type { Kernel } from '../gpu/kernel';
import { drop, factorGradient, lowRankTile, merge, narrow, narrowGradient, widen } from '../kernels/adapter';
import { gatedMlp } from '../kernels/gatedMlp';
import { projectionBackwardKernels, projectionKernels } from './projection';
import type { EngineParts } from './runtime';

/** For factors of a rank beside any of the view's matrices; with a dropout, matrices and factors multiply apart. */
export function factorKernels(
  { choice, context, weights }: Pick<EngineParts, 'choice' | 'context' | 'weights'>,
  rank: number,
  dropout: boolean,
): ReadonlySet<Kernel> {
  const kernels = new Set<Kernel>(dropout ? [drop, widen] : []);
  for (const { attention, mlp, shape } of weights.blocks.layouts.values()) {
    for (const matrix of [attention?.qkv, attention?.out, mlp?.gateUp, mlp?.down]) {
      if (matrix === undefined) continue;
      const { dtype, inner, rows } = matrix;
      const { largeTiles } = context.info;
      kernels.add(narrow(lowRankTile([inner], largeTiles)));
      const { heads, kvHeads, headDim, ffn } = shape;
      const columns =
        matrix === mlp?.gateUp ? [ffn] : matrix === attention?.qkv ? [heads * headDim, kvHeads * headDim] : [];
      const tile = lowRankTile([rank, rows, ...columns], largeTiles);
      kernels
        .add(narrowGradient(tile))
        .add(factorGradient(tile))
        .add(factorGradient(lowRankTile([rank, inner], largeTiles)));
      if (dropout) continue;
      const merged = { dtype: 'F32', inner, rows } as const;
      kernels.add(merge(dtype));
      for (const kernel of projectionKernels(choice, merged)) kernels.add(kernel);
      for (const kernel of projectionBackwardKernels(choice, merged)) kernels.add(kernel);
    }
    if (dropout || mlp === null || mlp.gateUpBias !== null) continue;
    const { inner, rows: cols } = mlp.gateUp;
    for (const tile of choice.tiles('swiglu', { dtype: 'F32', inner, cols }))
      kernels.add(gatedMlp(shape).fused('F32', tile));
  }
  return kernels;
}

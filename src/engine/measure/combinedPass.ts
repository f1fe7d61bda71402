/**
 * @file One forward and one backward pass for every criterion that looks at the base.
 *
 * The pass is Taylor's. Hooks on its forward pass see each block's input, output and weights: they measure the block
 * statistics, the magnitudes and, if the caller asks for them, the statistics of the width criteria. Then the backward
 * pass also sums the saliences of each channel, in the same launches.
 */
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import type { ForwardHook } from '../pass/forwardHook';
import type { EngineParts } from '../pass/runtime';
import { type BlockStatistics, MagnitudeSums, ResidualStatistics } from './statistics';
import { type Taylor, taylor } from './taylor';
import { WidthGathering, type WidthStatistics } from './width';

export interface CombinedPass {
  readonly taylor: Taylor;
  readonly statistics: BlockStatistics;
  /** Σ|W| over the projections and norms of each block. */
  readonly magnitudes: number[];
  /** Where they were asked for; then `taylor` has the sums of channels too. */
  readonly width?: WidthStatistics;
}

export interface CombinedPassOptions extends TaskOptions {
  /** As for the Taylor pass. */
  readonly keepBytes?: number | undefined;
  /** The statistics of the width methods too. */
  readonly width?: boolean | undefined;
}

/** The results of `taylor`, `blockStatistics`, `magnitudes` and, if wanted, `widthStatistics`, in the passes of the first. */
export async function combinedPass(
  parts: EngineParts,
  sequences: TokenSequences,
  options: CombinedPassOptions,
): Promise<CombinedPass> {
  const statistics = new ResidualStatistics(parts, sequences);
  const magnitudes = new MagnitudeSums(parts);
  const width = options.width ? new WidthGathering(parts) : null;
  const hooks: ForwardHook[] = [statistics, magnitudes, ...(width === null ? [] : [width])];
  const { signal, onProgress, keepBytes } = options;
  const taylorOptions = { signal, onProgress, keepBytes, channels: width !== null };
  const found = await taylor(parts, sequences, taylorOptions, { stage: 'survey', hooks });
  return {
    taylor: found,
    statistics: statistics.result(),
    magnitudes: await magnitudes.read(),
    ...(width === null ? {} : { width: width.result() }),
  };
}

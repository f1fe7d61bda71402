/**
 * @file One forward and one backward pass that serve every criterion which looks at the whole model.
 *
 * The pass is Taylor's. On its way there each block's input and output are at hand, and its weights are on the GPU: the
 * block statistics and the magnitudes are taken as it goes by, and so is what the width criteria want, if they are asked for:
 * their statistics on the way there, sums of each channel's saliences out of the same launches on the way back.
 */
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import type { EngineParts } from '../pass/runtime';
import { type BlockStatistics, type ForwardHook, MagnitudeSums, ResidualStatistics } from './statistics';
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
  /** What the width criteria look at too. */
  readonly width?: boolean | undefined;
}

/** What `taylor`, `blockStatistics`, `magnitudes` and, if wanted, `widthStatistics` tell, for the price of the first. */
export async function combinedPass(
  parts: EngineParts,
  sequences: TokenSequences,
  options: CombinedPassOptions,
): Promise<CombinedPass> {
  const statistics = new ResidualStatistics(parts, sequences);
  const magnitudes = new MagnitudeSums(parts);
  const width = options.width ? new WidthGathering(parts) : null;
  const hook: ForwardHook = {
    async begin(batch, queue) {
      await statistics.begin(batch, queue);
      await width?.begin(batch);
    },
    async block(batch, index, before, after) {
      await statistics.block(batch, index, before, after);
      await magnitudes.add(index);
      await width?.block(index);
    },
    async end(batch) {
      await statistics.end(batch);
      await width?.end(batch);
    },
    ...(width === null ? {} : { inputs: (batch, index) => width.inputs(batch, index) }),
  };
  const { signal, onProgress, keepBytes } = options;
  const taylorOptions = { signal, onProgress, keepBytes, channels: width !== null };
  const found = await taylor(parts, sequences, taylorOptions, { stage: 'survey', hook });
  return {
    taylor: found,
    statistics: statistics.result(),
    magnitudes: await magnitudes.read(),
    ...(width === null ? {} : { width: width.result() }),
  };
}

/**
 * @file One forward and one backward pass that serve every criterion which looks at the whole model.
 *
 * The pass is Taylor's. On its way there each block's input and output are at hand, and its weights are on the GPU: the
 * block statistics and the magnitudes are taken as it goes by.
 */
import type { TaskOptions } from '../task';
import type { EngineParts } from './runtime';
import { type BlockStatistics, type ForwardWatch, MagnitudeSums, StreamStatistics } from './statistics';
import { type Taylor, taylor } from './taylor';

export interface Survey {
  readonly taylor: Taylor;
  readonly statistics: BlockStatistics;
  /** Σ|W| over the projections and norms of each block. */
  readonly magnitudes: number[];
}

export interface SurveyOptions extends TaskOptions {
  /** As for the Taylor pass. */
  readonly keepBytes?: number | undefined;
}

/** What `taylor`, `blockStatistics` and `magnitudes` tell, for the price of the first. */
export async function survey(
  parts: EngineParts,
  windows: readonly (readonly number[])[],
  options: SurveyOptions,
): Promise<Survey> {
  const statistics = new StreamStatistics(parts, windows);
  const magnitudes = new MagnitudeSums(parts);
  const watch: ForwardWatch = {
    begin: (batch, stream) => statistics.begin(batch, stream),
    async block(batch, index, before, after) {
      await statistics.block(batch, index, before, after);
      await magnitudes.add(index);
    },
    end: (batch) => statistics.end(batch),
  };
  const found = await taylor(parts, windows, options, { stage: 'survey', watch });
  return { taylor: found, statistics: statistics.result(), magnitudes: await magnitudes.read() };
}

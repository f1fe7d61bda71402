/** @file Reads the variants and their numbers again, together: a row's own weights are told by its variant. */
import type { Context } from './context';

export async function refreshVariants({ lab, store }: Pick<Context, 'lab' | 'store'>): Promise<void> {
  const { model } = store.getState();
  const [variants, comparison] = await Promise.all([lab.variants(), lab.comparison()]);
  if (store.getState().model === model) store.setState({ variants, comparison });
}

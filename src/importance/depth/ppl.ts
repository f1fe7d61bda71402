/** @file Perplexity criterion: exp(mean NLL) of the model with only this unit left out. */
import type { CriterionRecord } from '../criterion';

export const ppl: CriterionRecord = {
  id: 'ppl',
  label: 'Perplexity',
  paper: 'Kim et al. 2024, Shortened LLaMA, §2.2',
  needs: 'gpu',
  units: ['block', 'attention', 'mlp'],
  async score({ probe, shape, sequences, unit, signal, onProgress }) {
    const removals = shape.layers.map((_, layer) => ({ layer, kind: unit }));
    const meanNll = await probe!.removalSweep(sequences, removals, { signal, onProgress });
    return meanNll.map(Math.exp);
  },
};

/** @file Perplexity criterion: exp(mean NLL) of the model with only this unit left out. */
import type { ScoreMethod } from '../method';

const ppl: ScoreMethod = {
  async score({ probe, shape, sequences, unit, signal, onProgress }) {
    const removals = shape.layers.map((_, layer) => ({ layer, kind: unit }));
    const meanNll = await probe!.removalSweep(sequences, removals, { signal, onProgress });
    return meanNll.map(Math.exp);
  },
  async reference({ probe, shape, sequences, signal }) {
    const { sumNll, tokens } = await probe!.score(shape.layers, sequences, { signal });
    return Math.exp(sumNll.reduce((a, b) => a + b, 0) / tokens);
  },
};

export default ppl;

/** @file Random scores of heads and neurons from a seed: the baseline that every width method has to beat. */
import { createRandom } from '../../numerics/random';
import type { WidthMethod } from '../method';

const randomWidth: WidthMethod = {
  async score({ shape, seed }) {
    const next = createRandom(seed);
    const scores = (count: number): number[] => Array.from({ length: count }, next);
    const layers = shape.layers.map(({ heads, ffn }) => ({ heads: scores(heads), neurons: scores(ffn) }));
    return { heads: layers.map(({ heads }) => heads), neurons: layers.map(({ neurons }) => neurons) };
  },
};

export default randomWidth;

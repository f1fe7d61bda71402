/** @file Random scores of heads and neurons from a seed: the baseline that every width method has to beat. */
import { createRandom } from '../../numerics/random';
import type { WidthRecord } from './width';

export const randomWidth: WidthRecord = {
  id: 'random',
  label: 'Random',
  paper: 'baseline',
  needs: 'nothing',
  headUnit: 'head',
  async score({ shape, seed }) {
    const next = createRandom(seed);
    const scores = (count: number): number[] => Array.from({ length: count }, next);
    const layers = shape.layers.map(({ heads, ffn }) => ({ heads: scores(heads), neurons: scores(ffn) }));
    return { heads: layers.map(({ heads }) => heads), neurons: layers.map(({ neurons }) => neurons) };
  },
};

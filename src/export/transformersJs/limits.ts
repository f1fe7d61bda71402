/** @file What transformers.js can open, and from which version on. */
import type { ModelShape } from '../../model/shape';

/** The oldest version that takes the cache's shapes from the graph, layer by layer. */
export const oldestVersion = '4.2.0';
/** Most bytes of a file of weights: browsers hold each in one buffer, of less than 2 GiB. */
export const mostFileBytes = 2e9;

/** Which engines run a shape's files, in one or two sentences. */
export function runsIn(shape: ModelShape): string {
  const all = `transformers.js ${oldestVersion} or later runs it, in browsers (wasm and WebGPU) and in Node.`;
  return isUneven(shape) ? `${all} Older versions expect the same number of key/value heads in every layer.` : all;
}

/** Whether attentions have other numbers of key/value heads, or some layer has none. */
function isUneven({ layers }: ModelShape): boolean {
  return layers.some(({ kvHeads, headDim }) => kvHeads !== layers[0]!.kvHeads || headDim !== layers[0]!.headDim);
}

/** @file The format 'transformers.js' in the registry. */
import { largestTensor } from '../../model/count';
import type { ModelShape } from '../../model/shape';
import type { ExportDtype, ExportFormat, ExportRefusal } from '../exported';

/** The oldest version that takes the cache's shapes from the graph, layer by layer. */
export const oldestVersion = '4.2.0';
/** Most bytes of a file of weights: browsers hold each in one buffer, of less than 2 GiB. */
export const mostFileBytes = 2e9;

export const transformersJs: ExportFormat = {
  id: 'transformers.js',
  label: 'transformers.js folder',
  dtypes: ['f32', 'f16'],
  runsIn: ({ shape }) =>
    `transformers.js ${oldestVersion} or later runs it, in browsers (wasm and WebGPU) and in Node.${
      isUneven(shape) ? ' Older versions expect the same number of key/value heads in every layer.' : ''
    }`,
  refusal: ({ shape }, dtype) => refusalOf(shape, dtype),
  load: () => import('./write'),
};

/** Whether attentions have other numbers of key/value heads, or some layer has none. */
function isUneven({ layers }: ModelShape): boolean {
  return layers.some(({ kvHeads, headDim }) => kvHeads !== layers[0]!.kvHeads || headDim !== layers[0]!.headDim);
}

function refusalOf(shape: ModelShape, dtype: ExportDtype = 'f32'): ExportRefusal | null {
  const { name, elements } = largestTensor(shape);
  const bytes = elements * (dtype === 'f16' ? 2 : 4);
  if (bytes <= mostFileBytes) return null;
  const size = (count: number): string => `${(count / 1e9).toFixed(2)} GB`;
  return {
    message: `export to 'transformers.js': browsers read weights from files of at most ${size(mostFileBytes)}, and the largest matrix (${name}) has ${size(bytes)} as ${dtype}.`,
    remedy: dtype === 'f32' && bytes / 2 <= mostFileBytes ? "Export as 'f16'." : 'Export to another format.',
  };
}

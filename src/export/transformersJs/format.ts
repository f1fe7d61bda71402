/** @file The format 'transformers.js' in the registry. */
import { largestTensor } from '../../model/count';
import type { ModelShape } from '../../model/shape';
import type { ExportDtype, ExportFormat, ExportRefusal } from '../exported';
import { mostFileBytes, runsIn } from './limits';

export const transformersJs: ExportFormat = {
  id: 'transformers.js',
  label: 'transformers.js folder',
  dtypes: ['f32', 'f16'],
  runsIn: ({ shape }) => runsIn(shape),
  refusal: ({ shape }, dtype) => refusalOf(shape, dtype),
  load: () => import('./write'),
};

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

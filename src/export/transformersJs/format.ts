/** @file The format 'transformers.js' in the registry. */
import type { ExportFormat } from '../exported';

export const transformersJs: ExportFormat = {
  id: 'transformers.js',
  label: 'transformers.js folder',
  dtypes: ['f32', 'f16'],
  runsIn: () => '',
  refusal: () => ({ message: "export: 'transformers.js' is not in this version.", remedy: "Export to 'onnx'." }),
  load: () => import('./write'),
};

/** @file The format 'mergekit' in the registry. */
import type { ExportFormat } from '../exported';

export const mergekit: ExportFormat = {
  id: 'mergekit',
  label: 'mergekit YAML',
  dtypes: [],
  runsIn: () => '',
  refusal: () => ({ message: "export: 'mergekit' is not in this version.", remedy: "Export to 'onnx'." }),
  load: () => import('./write'),
};

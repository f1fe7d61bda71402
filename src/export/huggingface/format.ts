/** @file The format 'huggingface' in the registry. */
import type { ExportFormat } from '../exported';

export const huggingface: ExportFormat = {
  id: 'huggingface',
  label: 'Hugging Face folder',
  dtypes: [],
  runsIn: () => '',
  refusal: () => ({ message: "export: 'huggingface' is not in this version.", remedy: "Export to 'onnx'." }),
  load: () => import('./write'),
};

/** @file The format 'gguf' in the registry. */
import type { ExportFormat } from '../exported';

export const gguf: ExportFormat = {
  id: 'gguf',
  label: 'GGUF file',
  dtypes: ['f16', 'f32', 'q8_0'],
  runsIn: () => '',
  refusal: () => ({ message: "export: 'gguf' is not in this version.", remedy: "Export to 'onnx'." }),
  load: () => import('./write'),
};

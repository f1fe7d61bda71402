/** @file The format 'recipe' in the registry. */
import type { ExportFormat } from '../exported';

export const recipe: ExportFormat = {
  id: 'recipe',
  label: 'Recipe and script',
  dtypes: [],
  runsIn: () => '',
  refusal: () => ({ message: "export: 'recipe' is not in this version.", remedy: "Export to 'onnx'." }),
  load: () => import('./write'),
};

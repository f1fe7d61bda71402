/** @file The format 'onnx' in the registry: the very graph that the page times. */
import type { ExportFormat } from '../exported';

export const onnx: ExportFormat = {
  id: 'onnx',
  label: 'ONNX graph',
  dtypes: [],
  runsIn: () =>
    'ONNX Runtime runs it, in a browser and elsewhere; the inputs are those of the graph that this page times.',
  refusal: () => null,
  load: () => import('./write'),
};

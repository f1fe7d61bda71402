/** @file How results name the precision that ran. */
import type { GraphPrecision } from '../onnx/graph';

/** Behind a runtime's name; nothing for plain f32. */
export const precisionLabel: Readonly<Record<GraphPrecision, string>> = {
  f32: '',
  'f16-weights': ', weights in 16 bits',
  f16: ', f16',
};

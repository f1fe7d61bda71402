/** @file The kernels of the gated MLP for the activation of its gate. */
import type { LayerShape } from '../../model/shape';
import { gated, gatedGelu } from './gated';
import { geglu, swiglu } from './swiglu';
import { gegluBackward, swigluBackward } from './swigluBackward';

const ofSilu = { fused: swiglu, gated, backward: swigluBackward } as const;
const ofGelu = { fused: geglu, gated: gatedGelu, backward: gegluBackward } as const;

/** `fused` with the projections, `gated` of projections that are kept, and `backward` of those. */
export function gatedMlp({ activation }: Pick<LayerShape, 'activation'>): typeof ofSilu {
  return activation === 'gelu_tanh' ? ofGelu : ofSilu;
}

/** @file Magnitude: Σ|W| over a block's projections and norm weights, without biases. Needs no data. */
import { throwIfAborted } from '../../errors';
import { findingsOf } from '../../model/finiteWeights';
import { scoredRoles } from '../../model/shape';
import { toFloat32 } from '../../model/weights';
import type { ScoreMethod, Setting } from '../method';

/** Σ|W| of every block on the CPU, tensor by tensor in float64: for a browser without a GPU, and the kernel's reference. */
export async function magnitudesOnCpu({
  shape,
  weights,
  signal,
  onProgress,
}: Pick<Setting, 'shape' | 'weights' | 'signal' | 'onProgress'>): Promise<number[]> {
  const findings = findingsOf(weights);
  const scores: number[] = [];
  for (const layer of shape.layers) {
    let sum = 0;
    for (const role of scoredRoles(layer)) {
      throwIfAborted(signal, 'Magnitude');
      const tensor = weights.layerTensor(role, layer.source);
      const bytes = await weights.read(tensor, signal);
      findings.look(tensor, bytes);
      findings.refuse([tensor]);
      const values = toFloat32(bytes, tensor.dtype);
      for (const value of values) sum += Math.abs(value);
    }
    scores.push(sum);
    onProgress?.({ stage: 'magnitude', done: scores.length, total: shape.layers.length, unit: 'blocks' });
  }
  return scores;
}

const magnitude: ScoreMethod = {
  score(setting) {
    return setting.probe ? setting.probe.magnitudes(setting) : magnitudesOnCpu(setting);
  },
  fromCombinedPass: ({ magnitudes }) => magnitudes,
};

export default magnitude;

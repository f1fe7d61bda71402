/** @file Magnitude-sp: ‖W_:,j‖₂ of the columns of oProj and downProj. Needs no data. */
import type { BySubBlock } from '../../engine/engine';
import { throwIfAborted } from '../../errors';
import { findingsOf } from '../../model/finiteWeights';
import type { LayerRole, LayerShape } from '../../model/shape';
import { toFloat32 } from '../../model/weights';
import { type ColumnSums, columnSums } from '../../numerics/columnSums';
import type { StructureScores, WidthMethod, WidthSetting } from '../method';
import { sumRuns } from './width';

const norms = ({ squares }: ColumnSums): number[] => Array.from(squares, Math.sqrt);

/** A head is the sum over its channels. */
export function magnitudeSpScores(
  columns: readonly BySubBlock<ColumnSums>[],
  shapes: readonly LayerShape[],
): StructureScores {
  return {
    heads: columns.map(({ attention }, index) => (attention ? sumRuns(norms(attention), shapes[index]!.headDim) : [])),
    neurons: columns.map(({ mlp }) => (mlp ? norms(mlp) : [])),
  };
}

/** Sums over the columns of oProj and downProj on the CPU, in float64: for a browser without a GPU, and the kernel's reference. */
export async function columnSumsOnCpu({
  shape,
  weights,
  signal,
  onProgress,
}: Pick<WidthSetting, 'shape' | 'weights' | 'signal' | 'onProgress'>): Promise<BySubBlock<ColumnSums>[]> {
  const findings = findingsOf(weights);
  const sumsOf = async (role: LayerRole, source: number, columns: number): Promise<ColumnSums | null> => {
    if (columns === 0) return null;
    throwIfAborted(signal, 'Magnitude');
    const tensor = weights.layerTensor(role, source);
    const bytes = await weights.read(tensor, signal);
    findings.look(tensor, bytes);
    findings.refuse([tensor]);
    return columnSums(toFloat32(bytes, tensor.dtype), columns);
  };
  const sums: BySubBlock<ColumnSums>[] = [];
  for (const { source, heads, headDim, ffn } of shape.layers) {
    const attention = await sumsOf('oProj', source, heads * headDim);
    sums.push({ attention, mlp: await sumsOf('downProj', source, ffn) });
    onProgress?.({ stage: 'magnitude', done: sums.length, total: shape.layers.length, unit: 'blocks' });
  }
  return sums;
}

const magnitudeSp: WidthMethod = {
  async score(setting) {
    const { probe, shape, signal, onProgress } = setting;
    const columns = probe ? await probe.columnSums({ signal, onProgress }) : await columnSumsOnCpu(setting);
    return magnitudeSpScores(columns, shape.layers);
  },
  fromCombinedPass: ({ width }, layers) =>
    magnitudeSpScores(
      width!.layers.map(({ attention, mlp }) => ({
        attention: attention?.columns ?? null,
        mlp: mlp?.columns ?? null,
      })),
      layers,
    ),
};

export default magnitudeSp;

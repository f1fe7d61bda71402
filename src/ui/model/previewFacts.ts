/** @file What a person should know before a download, as labels, texts and warnings. Pure. */
import type { DeviceInfo, ModelPreview } from '../../lab/types';
import { bytes, integer, quantity } from '../parts/format';
import type { Fact } from './facts';

export function previewFacts(
  preview: ModelPreview,
  device: Pick<DeviceInfo, 'limits'> | null,
): { facts: Fact[]; warnings: string[] } {
  const { bytes: all, storedBytes, freeBytes, weightBytes, largestBindingBytes, licence, gated } = preview;
  const left = all === null ? null : Math.max(0, all - storedBytes);
  const facts: Fact[] = [
    { label: 'Architecture', value: preview.architecture.replace(/ForCausalLM$/, ''), title: preview.architecture },
    { label: 'Blocks', value: integer(preview.shape.layers.length) },
    { label: 'Parameters', value: quantity(preview.parameters), title: integer(preview.parameters) },
    {
      label: 'Download',
      value: preview.stored ? 'stored' : left === null ? 'unknown' : bytes(left),
      title: storedBytes > 0 ? `${bytes(storedBytes)} are here already` : 'bytes over the network',
    },
    {
      label: 'Free storage',
      value: freeBytes === null ? 'unknown' : bytes(freeBytes),
      title: 'by the browser’s estimate',
    },
    {
      label: 'On the GPU',
      value: weightBytes === null ? 'unknown' : bytes(weightBytes),
      title: 'the weights; computing takes some more',
    },
    { label: 'Licence', value: licence ?? 'not stated' },
    ...(gated ? [{ label: 'Access', value: 'gated' }] : []),
  ];
  const warnings: string[] = [];
  if (!preview.stored && left !== null && freeBytes !== null && left > freeBytes) {
    warnings.push(`It does not fit: ${bytes(left)} are needed, ${bytes(freeBytes)} are free. Forget a stored model.`);
  }
  const bound = device?.limits['maxStorageBufferBindingSize'];
  if (bound !== undefined && largestBindingBytes !== null && largestBindingBytes > bound) {
    warnings.push(
      `Its largest matrix has ${bytes(largestBindingBytes)}; this GPU binds at most ${bytes(bound)} at once.`,
    );
  }
  return { facts, warnings };
}

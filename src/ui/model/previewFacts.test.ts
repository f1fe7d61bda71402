import { expect, test } from 'vitest';
import type { ModelPreview } from '../../lab/contract/types';
import { parseConfig } from '../../model/config';
import { memoryPlan } from '../../model/memory';
import { tinyConfig } from '../../shards/testing/tinyModel';
import { type Machine, previewFacts } from './previewFacts';

const { shape, architecture } = parseConfig(tinyConfig);
const preview: ModelPreview = {
  id: 'hf:a/b',
  source: 'a/b@0',
  revision: '0',
  architecture,
  shape,
  parameters: 1e6,
  bytes: 2e6,
  weightBytes: 2e6,
  memory: memoryPlan(shape, 'F32'),
  storedBytes: 0,
  stored: false,
  freeBytes: 3e6,
  licence: 'mit',
  gated: false,
};
const machine: Machine = { device: null, stored: [], freeBytes: 3e6 };
const value = (shown: ModelPreview, label: string) =>
  previewFacts(shown, machine).facts.find((fact) => fact.label === label)?.value;
const budget = (shown: ModelPreview, label: string, on: Partial<Machine> = {}) =>
  previewFacts(shown, { ...machine, ...on }).budgets.find((each) => each.label === label);

test('stored bytes are not downloaded again', () => {
  expect(value(preview, 'Download')).toBe('2.0\u00a0MB');
  expect(value({ ...preview, storedBytes: 5e5 }, 'Download')).toBe('1.5\u00a0MB');
  expect(value({ ...preview, stored: true }, 'Download')).toBe('stored');
  // Servers of folders tell the sizes of the weights only.
  expect(value({ ...preview, bytes: null }, 'Download')).toMatch(/^2\.0\sMB of weights$/);
  expect(value({ ...preview, bytes: null, weightBytes: null }, 'Download')).toBe('unknown');
  expect(value(preview, 'Licence')).toBe('mit');
  expect(value(preview, 'Access')).toBeUndefined();
  expect(value({ ...preview, gated: true }, 'Access')).toBe('gated');
});

test('storage: the remaining download against free storage, and which models to forget', () => {
  expect(budget(preview, 'Storage')).toMatchObject({
    fits: true,
    arithmetic: '2.0\u00a0MB to store, 3.0\u00a0MB free (browser’s estimate)',
  });
  const tight = { freeBytes: 1.5e6, stored: [{ source: 'old/one', storedBytes: 6e5, lastUsed: 1 }] };
  expect(budget(preview, 'Storage', tight)).toEqual({
    label: 'Storage',
    fits: false,
    arithmetic: '2.0\u00a0MB to store, 1.5\u00a0MB free (browser’s estimate): 500\u00a0kB missing',
    remedy: 'Forget old/one (600\u00a0kB), or free disk space.',
  });
  expect(budget(preview, 'Storage', { freeBytes: 1e6 })?.remedy).toMatch(/would not be enough/);
  expect(budget({ ...preview, storedBytes: 5e5 }, 'Storage', tight)?.fits).toBe(true);
  expect(budget({ ...preview, stored: true }, 'Storage', tight)).toBeUndefined();
  expect(budget(preview, 'Storage', { freeBytes: null })?.fits).toBeNull();
  expect(previewFacts(preview, { ...machine, ...tight }).refused).toBe(true);
  expect(previewFacts(preview, machine).refused).toBe(false);
});

test('the GPU: the sums, and the largest tensor against the binding limit', () => {
  const { binding } = preview.memory!;
  const device = (bytes: number) => ({
    device: { limits: { maxStorageBufferBindingSize: bytes, maxBufferSize: 1e9 } },
  });
  expect(budget(preview, 'GPU memory')?.arithmetic).toMatch(
    /of weights \+ .* for 1,280 tokens = .*two blocks at a time/,
  );
  expect(budget(preview, 'Largest GPU buffer')?.fits).toBeNull();
  expect(budget(preview, 'Largest GPU buffer', device(binding.bytes))?.fits).toBe(true);
  expect(budget(preview, 'Largest GPU buffer', device(binding.bytes - 1))).toMatchObject({
    fits: false,
    arithmetic: 'gate and up of a block: 3.1\u00a0kB; this GPU allows 3.1\u00a0kB per binding',
    remedy: expect.stringContaining('smaller model'),
  });
  expect(previewFacts(preview, { ...machine, ...device(binding.bytes - 1) }).refused).toBe(true);
});

test('a model beyond the heap of ONNX Runtime is not refused for it', () => {
  const memory = { ...preview.memory!, onnxBytes: 5e9 };
  expect(budget(preview, 'Benchmark')?.fits).toBe(true);
  expect(budget({ ...preview, memory }, 'Benchmark')).toMatchObject({ fits: false, remedy: /variants/ });
  expect(previewFacts({ ...preview, memory }, machine).refused).toBe(false);
  // 16-bit weights stay so where the GPU can widen them.
  const narrow = { ...memory, dtype: 'F16' as const };
  const half = { device: { limits: {}, features: ['shader-f16'] } };
  expect(budget({ ...preview, memory: narrow }, 'Benchmark', half)).toMatchObject({
    fits: true,
    arithmetic: expect.stringContaining('in 16 bits: 2.5'),
  });
  expect(budget({ ...preview, memory: narrow }, 'Benchmark')?.fits).toBe(false);
  expect(budget({ ...preview, memory: { ...memory, dtype: 'F32' } }, 'Benchmark', half)?.fits).toBe(false);
  expect(previewFacts({ ...preview, memory: null }, machine).budgets).toHaveLength(1);
});

test('GPU memory: unknown without a limit; with one, all blocks fit, two at a time fit, or none', () => {
  const { wholeBytes, streamedBytes } = memoryPlan(shape, 'F32');
  const on = (memoryBytes: number) => ({ device: { limits: {}, memoryBytes } });
  expect(budget(preview, 'GPU memory')?.fits).toBeNull();
  expect(budget(preview, 'GPU memory', on(wholeBytes))?.fits).toBe(true);
  expect(budget(preview, 'GPU memory', on(streamedBytes))?.fits).toBe(true);
  expect(budget(preview, 'GPU memory', on(streamedBytes - 1))).toMatchObject({
    fits: false,
    arithmetic: expect.stringContaining('your limit is'),
    remedy: expect.stringContaining('Raise the GPU memory limit'),
  });
  expect(previewFacts(preview, { ...machine, ...on(streamedBytes - 1) }).refused).toBe(true);
});

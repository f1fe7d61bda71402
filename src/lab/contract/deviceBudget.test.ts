import { expect, test } from 'vitest';
import { parseConfig } from '../../model/config';
import { memoryPlan } from '../../model/memory';
import { tinyConfig } from '../../shards/testing/tinyModel';
import { bindingBytes, refuseForDevice } from './deviceBudget';

const { shape } = parseConfig(tinyConfig);
/** Gate and up: 2 · 24 × 16 in float32. */
const largest = 2 * 24 * 16 * 4;
const device = (bytes: number) => ({
  adapter: 'small gpu',
  limits: { maxStorageBufferBindingSize: bytes, maxBufferSize: 1e9 },
});

test('a piece that the GPU cannot bind refuses the model, with the arithmetic', () => {
  const refuse = (bytes: number) => () => refuseForDevice('a/b@0', shape, 24_000, device(bytes));
  expect(refuse(largest)).not.toThrow();
  expect(refuse(largest - 1)).toThrow(
    `gate and up of a block are 48 × 16 × 4 bytes = ${largest} bytes in one buffer, and 'small gpu' allows ${largest - 1} per binding`,
  );
  expect(refuse(largest - 1)).toThrow(expect.objectContaining({ code: 'unsupported-limit' }));
});

test('a bound on memory that two blocks exceed refuses the model, with the arithmetic', () => {
  const plan = memoryPlan(shape, 'F32');
  const refuse = (memoryBytes: number) => () =>
    refuseForDevice('a/b@0', shape, 24_000, { ...device(1e9), memoryBytes });
  expect(refuse(plan.streamedBytes)).not.toThrow();
  expect(refuse(plan.streamedBytes - 1)).toThrow(
    `= ${plan.streamedBytes} bytes of GPU memory, and the limit is ${plan.streamedBytes - 1}`,
  );
  expect(refuse(plan.streamedBytes - 1)).toThrow(expect.objectContaining({ code: 'unsupported-limit' }));
});

test('without a GPU, or without sizes, nothing is refused', () => {
  expect(() => refuseForDevice('a/b@0', shape, 24_000, null)).not.toThrow();
  expect(() => refuseForDevice('a/b@0', shape, null, device(1))).not.toThrow();
  expect(bindingBytes(null)).toBeNull();
  expect(bindingBytes({ limits: { maxStorageBufferBindingSize: 5, maxBufferSize: 3 } })).toBe(3);
});

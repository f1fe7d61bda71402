import { expect, test } from 'vitest';
import { defineKernel, grid, packParams } from './kernel';

const kernel = defineKernel({
  name: 'example',
  code: '',
  buffers: { x: 'read' },
  params: { rows: 'u32', eps: 'f32', last: 'u32' },
  workgroups: ({ rows }) => [rows],
});

test('parameters are packed in the order of the record, whatever the order of the call', () => {
  const bytes = packParams(kernel, { last: 0xffffffff, eps: 0.5, rows: 3 });
  const view = new DataView(bytes.buffer);
  expect(bytes.byteLength).toBe(12);
  expect(view.getUint32(0, true)).toBe(3);
  expect(view.getFloat32(4, true)).toBe(0.5);
  expect(view.getUint32(8, true)).toBe(0xffffffff);
});

test.each([-1, 1.5, 2 ** 32, Number.NaN])('a u32 parameter of %d is refused by name', (rows) => {
  expect(() => packParams(kernel, { rows, eps: 0, last: 0 })).toThrow(
    `example: parameter rows must be a u32, got ${rows}`,
  );
});

test('a row of workgroups that is too long folds into y and still covers all', () => {
  expect(grid(kernel, { rows: 65535, eps: 0, last: 0 }, 65535)).toEqual([65535, 1]);
  const [x, y] = grid(kernel, { rows: 200_001, eps: 0, last: 0 }, 65535);
  expect(x).toBeLessThanOrEqual(65535);
  expect(x * y).toBeGreaterThanOrEqual(200_001);
  expect(x * y).toBeLessThan(200_001 + y);
});

test('a grid of two dimensions never folds: beyond the limit both numbers are told', () => {
  const wide = { ...kernel, workgroups: () => [70_000, 2] as const };
  expect(() => grid(wide, {}, 65535)).toThrow('is 65535, but 70000 × 2 are needed');
});

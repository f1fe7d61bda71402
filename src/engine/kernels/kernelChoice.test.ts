import { expect, test } from 'vitest';
import { KernelChoice } from './kernelChoice';
import { classKey, classOf, type Matmul, type TunedClass } from './matmulClasses';

const hardware = { largeTiles: false, features: ['subgroups', 'shader-f16'] };
const software = { largeTiles: true, features: [] };
const matmul: Matmul = { operation: 'linear', dtype: 'F16', rows: 512, inner: 2048, cols: 5632, byFour: true };
const { operation: _, byFour: __, ...sizes } = matmul;
const tuned = (tile: TunedClass['tile'], changes: Partial<Matmul> = {}): TunedClass => ({
  ...classOf({ ...matmul, ...changes }),
  tile,
  fallback: '4x8',
  trials: [],
  sizes,
  timing: 'timestamps',
});

test('a class joins sizes of the same power of two, and rows of the same power of four', () => {
  const key = (changes: Partial<Matmul>): string => classKey(classOf({ ...matmul, ...changes }));
  expect(classOf(matmul)).toEqual({ operation: 'linear', dtype: 'F16', inner: 11, cols: 12, rows: 4, byFour: true });
  for (const alike of [{ inner: 4095 }, { cols: 4096 }, { cols: 8191 }, { rows: 256 }, { rows: 1023 }]) {
    expect(key(alike)).toBe(key({}));
  }
  const others: Partial<Matmul>[] = [
    { inner: 2047 },
    { cols: 8192 },
    { rows: 255 },
    { rows: 1024 },
    { byFour: false },
    { dtype: 'F32' },
    { operation: 'swiglu' },
  ];
  expect(new Set([key({}), ...others.map(key)]).size).toBe(others.length + 1);
});

test('what was not measured runs in the static choice', () => {
  expect(new KernelChoice(software).tile('linear', sizes)).toBe('16x8');
  expect(new KernelChoice(hardware).tile('linear', sizes)).toBe('4x8');
  expect(new KernelChoice(hardware).tile('linear', { ...sizes, inner: 33 })).toBe('any');
  expect(new KernelChoice(software).backTile('weightSalience', sizes, [2048, 5632])).toBe('16x16');
  expect(new KernelChoice(software).backTile('weightSalience', sizes, [2048, 5631])).toBe('any');
});

test('a measured class runs in its tile, and no other class does', () => {
  const choice = new KernelChoice(hardware);
  choice.adopt([tuned('subgroup')]);
  choice.adopt([tuned('workgroup', { rows: 2048 })]);
  expect(choice.tile('linear', sizes)).toBe('subgroup');
  expect(choice.tile('linear', { ...sizes, rows: 2048 })).toBe('workgroup');
  expect(choice.tile('linear', { ...sizes, rows: 64 })).toBe('4x8');
  expect(choice.tile('linear', { ...sizes, inner: 2049 })).toBe('any');
  expect(choice.tile('headPartials', sizes)).toBe('4x8');
  expect(choice.tiles('linear', sizes)).toEqual(new Set(['4x8', 'subgroup', 'workgroup']));
  expect(choice.tiles('headPartials', sizes)).toEqual(new Set(['4x8']));
});

test('a measured tile that this device or this precision lacks is passed by', () => {
  const without = new KernelChoice({ largeTiles: false, features: [] });
  without.adopt([tuned('subgroup')]);
  expect(without.tile('linear', sizes)).toBe('4x8');
  const precise = new KernelChoice(hardware);
  precise.adopt([tuned('f16'), tuned('workgroup', { operation: 'weightSalience' })]);
  expect(precise.tile('linear', sizes)).toBe('4x8');
  expect(precise.backTile('weightSalience', sizes, [2048])).toBe('4x8');
});

test('a forced tile runs wherever it can', () => {
  const choice = new KernelChoice(hardware, { kernel: 'f16' });
  choice.adopt([tuned('subgroup')]);
  expect(choice.tile('linear', sizes)).toBe('f16');
  expect(choice.tile('linear', { ...sizes, inner: 33 })).toBe('any');
  expect(choice.backTile('linearInputGradient', sizes, [2048])).toBe('4x8');
  const back = new KernelChoice(software, { kernel: '16x16' });
  expect(back.tile('linear', sizes)).toBe('16x8');
  expect(back.backTile('linearInputGradient', sizes, [2048])).toBe('16x16');
  expect(back.backTile('linearInputGradient', sizes, [2049])).toBe('any');
  expect(new KernelChoice(software, { kernel: 'any' }).backTile('weightSalience', sizes, [2048])).toBe('any');
});

test('a forced tile that the adapter lacks is refused', () => {
  expect(() => new KernelChoice(software, { kernel: 'subgroup' })).toThrow(
    'this adapter supports 4x8, 16x8, any, workgroup, 16x16, got',
  );
  expect(() => new KernelChoice(hardware, { kernel: '16x16' })).toThrow(
    'this adapter supports 4x8, 16x8, any, workgroup, subgroup, got',
  );
});

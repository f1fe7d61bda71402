import jsQR from 'jsqr';
import { expect, test } from 'vitest';
import { qrDrawing, qrModules, qrSvg } from './qr';

const link = (length: number): string => 'https://example.org/lab/#s1.'.padEnd(length, 'eJztWVlv20YQ_isCgT6-');

/** Reads modules with another library, each as a square of 4 pixels. */
function read(modules: readonly (readonly boolean[])[]): string | undefined {
  const side = modules.length * 4;
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
  modules.forEach((row, y) => {
    row.forEach((dark, x) => {
      if (!dark) return;
      for (let i = 0; i < 16; i++) pixels.fill(0, at(x, y, i), at(x, y, i) + 3);
    });
  });
  function at(x: number, y: number, i: number): number {
    return ((y * 4 + (i >> 2)) * side + x * 4 + (i & 3)) * 4;
  }
  return jsQR(pixels, side, side)?.data;
}

test.each([60, 800])('another library reads the code of a link of %i characters', (length) => {
  expect(read(qrModules(link(length)))).toBe(link(length));
});

test('a code has a quiet zone of four modules', () => {
  const modules = qrModules(link(60));
  const edge = [
    ...modules.slice(0, 4),
    ...modules.slice(-4),
    ...modules.map((row) => [...row.slice(0, 4), ...row.slice(-4)]),
  ];
  expect(edge.flat().some((dark) => dark)).toBe(false);
  expect(modules[4]?.slice(4, 11)).toEqual([true, true, true, true, true, true, true]);
});

test('a drawing has a rectangle for each run of dark modules', () => {
  const drawing = qrDrawing([
    [true, true, false],
    [false, false, true],
    [true, false, true],
  ]);
  expect(drawing).toEqual({ size: 3, path: 'M0 0h2v1h-2zM2 1h1v1h-1zM0 2h1v1h-1zM2 2h1v1h-1z' });
  expect(qrSvg(drawing)).toContain('<rect width="3" height="3" fill="#fff"/><path fill="#000" d="M0 0h2v1h-2z');
});

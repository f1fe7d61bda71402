import { expect, test } from 'vitest';
import { hashBytes, hashText } from './hash';

test.each([
  // Vectors of the FNV authors' test suite.
  ['', 'cbf29ce484222325'],
  ['a', 'af63dc4c8601ec8c'],
  ['foobar', '85944171f73967e8'],
])('FNV-1a 64 of %j', (text, expected) => {
  expect(hashText(text)).toBe(expected);
});

test('agrees with the definition in big integers on all bytes', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 167 + 13) & 255);
  let state = 0xcbf29ce484222325n;
  for (const byte of bytes) state = BigInt.asUintN(64, (state ^ BigInt(byte)) * 0x100000001b3n);
  expect(hashBytes(bytes)).toBe(state.toString(16).padStart(16, '0'));
});

import { expect, test } from 'vitest';
import { headerLength, maxHeaderBytes, parseHeader, safetensorsParts } from './safetensors';

/** Parses a header given as JSON text, for a file whose data part has `dataBytes`. */
function parse(json: string | object, dataBytes: number | null): ReturnType<typeof parseHeader> {
  const bytes = new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json));
  return parseHeader(bytes, dataBytes === null ? null : 8 + bytes.length + dataBytes, 'a.safetensors');
}

function prefix(length: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  return bytes;
}

const f32 = (shape: number[], begin: number, end: number) => ({ dtype: 'F32', shape, data_offsets: [begin, end] });

test('a header becomes tensors in the order of their bytes', () => {
  const json = { __metadata__: { format: 'pt' }, b: f32([2], 12, 20), a: f32([3, 1], 0, 12) };
  const { tensors, metadata, fileBytes } = parse(json, 20);
  const start = fileBytes - 20;
  expect(metadata).toEqual({ format: 'pt' });
  expect(tensors.map(({ name, begin, end, dims }) => [name, begin - start, end - start, dims])).toEqual([
    ['a', 0, 12, [3, 1]],
    ['b', 12, 20, [2]],
  ]);
});

test('scalars, empty tensors, integers, unaligned ranges and space padding are legal', () => {
  const json = {
    bytes: { dtype: 'U8', shape: [3], data_offsets: [0, 3] },
    scalar: f32([], 3, 7),
    empty: f32([0, 5], 7, 7),
    long: { dtype: 'I64', shape: [1], data_offsets: [7, 15] },
    sub: { dtype: 'F4', shape: [4], data_offsets: [15, 17] },
  };
  expect(parse(`${JSON.stringify(json)}   `, 17).tensors).toHaveLength(5);
  expect(parse('{}', 0).tensors).toEqual([]);
});

test.each([
  ['metadata that is null', '{"__metadata__": null}', 0],
  ['metadata with the names of what every object has', '{"__metadata__": {"__proto__": "a", "constructor": "b"}}', 0],
  ['tensors with such names', '{"__proto__": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}', 1],
  ['a type that nobody computes with', { a: { dtype: 'F8_E4M3FNUZ', shape: [2], data_offsets: [0, 2] } }, 2],
  ['many dims', { a: { dtype: 'U8', shape: Array(40).fill(1), data_offsets: [0, 1] } }, 1],
])('%s: accepted', (_, json, dataBytes) => {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  const { tensors, metadata } = parse(text, dataBytes);
  expect(tensors).toHaveLength(dataBytes > 0 ? 1 : 0);
  if (text.includes('constructor')) expect(Object.keys(metadata)).toEqual(['__proto__', 'constructor']);
});

test.each([
  ['metadata that is a list', { __metadata__: [] }, 0, '__metadata__'],
  ['metadata with a number of an odd name', { __metadata__: { constructor: 1 } }, 0, '__metadata__'],
  [
    'incomplete character in a name',
    '{"\\ud800": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}',
    1,
    'incomplete char',
  ],
  ['a hole', { a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12, 'leaves a gap'],
  ['a hole at the start', { a: f32([1], 4, 8) }, 8, 'leaves a gap'],
  ['an overlap', { a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8, 'overlaps'],
  ['the same range twice', { a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4, 'overlaps'],
  ['a range that is too short', { a: f32([2], 0, 4) }, 4, 'F32 [2] needs 8'],
  ['a range backwards', { a: f32([1], 4, 0) }, 4, 'has -4 bytes'],
  ['a product that overflows', { a: f32([2 ** 30, 2 ** 30], 0, 4) }, 4, 'needs too many'],
  ['half a byte', { a: { dtype: 'F4', shape: [3], data_offsets: [0, 2] } }, 2, 'needs too many'],
  ['an unknown dtype', { a: { dtype: 'F128', shape: [1], data_offsets: [0, 16] } }, 16, "unknown dtype 'F128'"],
  ['an inherited name as dtype', { a: { dtype: 'toString', shape: [1], data_offsets: [0, 1] } }, 1, 'unknown dtype'],
  ['negative dims', { a: f32([-1], 0, 4) }, 4, 'malformed'],
  ['broken dims', { a: f32([0.5], 0, 2) }, 2, 'malformed'],
  ['dims beyond exact integers', { a: f32([2 ** 60], 0, 4) }, 4, 'malformed'],
  ['three offsets', { a: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 8] } }, 4, 'data_offsets'],
  ['an entry without shape', { a: { dtype: 'F32', data_offsets: [0, 4] } }, 4, 'malformed'],
  ['metadata with numbers', { __metadata__: { a: 1 } }, 0, '__metadata__'],
  ['a file that is too short', { a: f32([2], 0, 8) }, 4, 'describes a file of'],
  ['a file that is too long', { a: f32([2], 0, 8) }, 9, 'describes a file of'],
  ['no object', '[]', 0, "does not start with '{'"],
  ['leading space', ' {}', 0, "does not start with '{'"],
  ['broken JSON', '{"a":', 0, 'not JSON'],
  ['nothing', '', 0, "does not start with '{'"],
])('%s is refused', (_, json, dataBytes, named) => {
  expect(() => parse(json, dataBytes)).toThrow(named);
  expect(() => parse(json, dataBytes)).toThrow(expect.objectContaining({ code: 'bad-safetensors' }));
});

test('text that is not UTF-8 is refused', () => {
  expect(() => parseHeader(Uint8Array.of(0x7b, 0xff, 0x7d), null, 'a')).toThrow('not JSON');
});

test('the length of the header is bounded by the format and by the file', () => {
  expect(headerLength(prefix(100n), 108, 'a')).toBe(100);
  expect(headerLength(prefix(100n), null, 'a')).toBe(100);
  expect(() => headerLength(prefix(101n), 108, 'a')).toThrow('header of 101 bytes, but the whole file has 108');
  expect(() => headerLength(prefix(BigInt(maxHeaderBytes) + 1n), null, 'a')).toThrow('expected at most 100000000');
  expect(() => headerLength(prefix(2n ** 64n - 1n), 2 ** 40, 'a')).toThrow('18446744073709551615');
  expect(() => headerLength(new Uint8Array(5), 5, 'a')).toThrow('cut off');
});

test('what is written can be read: names, dims, bytes, alignment', async () => {
  const half = Uint8Array.of(1, 2, 3, 4, 5, 6);
  const full = new Uint8Array(Float32Array.of(1.5, -2).buffer);
  const blob = new Blob(
    safetensorsParts(
      [
        { name: 'half', dtype: 'F16', dims: [3], data: half },
        { name: 'full "quoted" ▁', dtype: 'F32', dims: [2, 1], data: new Blob([full]) },
      ],
      { format: 'pt' },
    ),
  );
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const length = headerLength(bytes.subarray(0, 8), bytes.length, 'a');
  expect(length % 8).toBe(0);
  const { tensors, metadata } = parseHeader(bytes.subarray(8, 8 + length), bytes.length, 'a');
  expect(metadata).toEqual({ format: 'pt' });
  expect(tensors.map((tensor) => tensor.name)).toEqual(['full "quoted" ▁', 'half']);
  const [first, second] = tensors;
  expect(first!.begin % 8).toBe(0);
  expect(bytes.slice(first!.begin, first!.end)).toEqual(full);
  expect(bytes.slice(second!.begin, second!.end)).toEqual(half);
});

test('the writer refuses wrong sizes and repeated names', () => {
  const tensor = { name: 'a', dtype: 'F32', dims: [2], data: new Uint8Array(8) };
  expect(() => safetensorsParts([tensor, tensor])).toThrow('the name a twice');
  expect(() => safetensorsParts([{ ...tensor, dims: [3] }])).toThrow('a with 8 bytes, expected 12');
});

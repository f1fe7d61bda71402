import { expect, test } from 'vitest';
import { ownerOf, type StoredDtype } from '../model/weights';
import { type Cut, sliced } from './sliced';
import { tinySource, tinyTensorsAs } from './testing/tinySource';

const dtypes: readonly StoredDtype[] = ['F32', 'F16', 'BF16'];
const size = { F32: 4, F16: 2, BF16: 2 };

/** The elements of a row-major matrix at rows × columns, as bytes. */
function select(
  bytes: Uint8Array,
  width: number,
  element: number,
  rows: readonly number[],
  columns: readonly number[],
) {
  const at = (row: number, column: number) => (row * width + column) * element;
  return rows.flatMap((row) =>
    columns.flatMap((column) => [...bytes.slice(at(row, column), at(row, column) + element)]),
  );
}

const cuts: [string, Pick<Cut, 'rows' | 'columns'>][] = [
  ['consecutive rows', { rows: [3, 4, 5, 6] }],
  ['the first row', { rows: [0] }],
  ['all rows', { rows: Array.from({ length: 24 }, (_, row) => row) }],
  ['rows with gaps', { rows: [0, 2, 3, 23] }],
  ['columns', { columns: [0, 1, 5, 15] }],
  ['one column', { columns: [15] }],
  ['rows and columns', { rows: [1, 2, 20], columns: [3, 4, 5, 9] }],
];

test.each(dtypes.flatMap((dtype) => cuts.map((cut) => [dtype, ...cut] as const)))(
  '%s: %s, bit by bit',
  async (dtype, _, cut) => {
    const { weights } = await tinySource(tinyTensorsAs(dtype));
    const whole = weights.layerTensor('gateProj', 1); // [24, 16]
    const view = sliced(weights, [{ role: 'gateProj', source: 1, ...cut }]);
    const ref = view.layerTensor('gateProj', 1);
    const rows = cut.rows ?? Array.from({ length: 24 }, (_, row) => row);
    const columns = cut.columns ?? Array.from({ length: 16 }, (_, column) => column);
    const expected = select(await weights.read(whole), 16, size[dtype], rows, columns);
    expect(ref).toMatchObject({ dtype, dims: [rows.length, columns.length] });
    expect(ref.end - ref.begin).toBe(expected.length);
    expect([...(await view.read(ref))]).toEqual(expected);
    // As another runtime reads it, and in parts that begin within a row.
    const file = new Uint8Array(await (await view.file(ref.file)).arrayBuffer());
    expect([...file.slice(ref.begin, ref.end)]).toEqual(expected);
    const [from, to] = [size[dtype] * (expected.length > 8 ? 3 : 0), expected.length];
    expect([...(await view.read({ ...ref, begin: ref.begin + from, end: ref.begin + to }))]).toEqual(
      expected.slice(from, to),
    );
  },
);

test('consecutive rows stay in the parent’s file; nothing is read before it is asked for', async () => {
  const { weights, reads } = await tinySource();
  const view = sliced(weights, [
    { role: 'upProj', source: 0, rows: [4, 5, 6] },
    { role: 'downProj', source: 0, columns: [4, 5, 6] },
  ]);
  const whole = weights.layerTensor('upProj', 0);
  const rows = view.layerTensor('upProj', 0);
  expect(rows).toMatchObject({ file: whole.file, begin: whole.begin + 4 * 16 * 4, end: whole.begin + 7 * 16 * 4 });
  expect(ownerOf(view, rows)).toBe(weights);
  const columns = view.layerTensor('downProj', 0);
  expect(columns.file).not.toBe(whole.file);
  expect(ownerOf(view, columns)).toBe(view);
  expect(view.layerTensor('upProj', 1)).toEqual(weights.layerTensor('upProj', 1));
  expect(reads).toEqual([]);
});

test('equal parts of equal bytes have one name, other parts another', async () => {
  const { weights } = await tinySource();
  const fileOf = (cut: Cut) => sliced(weights, [cut]).layerTensor(cut.role, cut.source).file;
  const cut: Cut = { role: 'downProj', source: 0, columns: [1, 3] };
  expect(fileOf({ ...cut })).toBe(fileOf(cut));
  expect(fileOf({ ...cut, columns: [1, 4] })).not.toBe(fileOf(cut));
  expect(fileOf({ ...cut, source: 1 })).not.toBe(fileOf(cut));
});

test.each<[string, Cut]>([
  ['none', { role: 'upProj', source: 0, rows: [] }],
  ['beyond the matrix', { role: 'upProj', source: 0, rows: [23, 24] }],
  ['not ascending', { role: 'upProj', source: 0, rows: [2, 1] }],
  ['twice', { role: 'upProj', source: 0, columns: [2, 2] }],
  ['no index', { role: 'upProj', source: 0, columns: [0.5] }],
])('refuses indices: %s', async (_, cut) => {
  const { weights } = await tinySource();
  expect(() => sliced(weights, [cut])).toThrow(/ of upProj of block 0: expected one or more ascending indices/);
});

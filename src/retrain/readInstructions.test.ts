/** @file Instructions read from pasted text and from files. */
import { expect, test } from 'vitest';
import { parquetBytes } from '../text/testing/parquetFile';
import { readInstructions } from './readInstructions';

const pairs = [
  { instruction: 'Name a colour.', input: '', output: 'Red.' },
  { instruction: 'Continue.', input: 'Tom\nand', output: 'Mia.' },
];
const lines = pairs.map((pair) => JSON.stringify(pair)).join('\n');
const columns = {
  instruction: ['Name a colour.', 'Continue.'],
  input: [null, 'Tom\nand'],
  output: ['Red.', 'Mia.'],
  text: ['x', 'y'],
};

test.each<[string, string | File]>([
  ['pasted JSON', JSON.stringify(pairs)],
  ['pasted JSON Lines', `${lines}\n\n`],
  ['.json', new File([JSON.stringify(pairs)], 'alpaca.json')],
  ['.jsonl', new File([lines], 'alpaca.jsonl')],
  ['.parquet, where a row without an input is one with an empty input', new File([parquetBytes(columns)], 'a.parquet')],
])('%s', async (_, source) => {
  expect(await readInstructions(source)).toEqual(pairs);
});

test('the input may be missing', async () => {
  const { input: _, ...rest } = columns;
  const expected = pairs.map((pair) => ({ ...pair, input: '' }));
  expect(await readInstructions(new File([parquetBytes(rest)], 'a.parquet'))).toEqual(expected);
  expect(await readInstructions('{"instruction":"a","output":"b"}')).toEqual([
    { instruction: 'a', input: '', output: 'b' },
  ]);
});

test.each<[string, string | File, string, string]>([
  ['text', 'Tom met Mia.', 'bad-argument', 'line 1'],
  ['a bad line', `${lines}\n{"instruction":"a"}`, 'bad-argument', "line 3: expected a string in the field 'output'"],
  ['broken JSON', '[{"instruction":', 'bad-argument', 'expected JSON'],
  ['nothing', ' \n', 'bad-argument', 'got 0'],
  ['another kind of file', new File(['a'], 'a.csv'), 'bad-source', 'expected a .json, .jsonl or .parquet'],
  ['other columns', new File([parquetBytes({ text: ['a'] })], 'a.parquet'), 'bad-source', "a column 'instruction'"],
])('%s: refused', async (_, source, code, message) => {
  await expect(readInstructions(source)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
});

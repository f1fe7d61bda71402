import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseCorpora } from './corpora';

const shipped = (): { version: number; corpora: Record<string, unknown>[] } =>
  JSON.parse(readFileSync('public/corpora.json', 'utf8'));

test("the list that ships is one, with the paper's texts for both uses", () => {
  const corpora = parseCorpora(shipped());
  const by = (use: 'calibration' | 'evaluation') => corpora.filter(({ uses }) => uses.includes(use));
  expect(by('evaluation').map(({ name }) => name)).toEqual(expect.arrayContaining(['wikitext-2', 'ptb']));
  expect(by('calibration').map(({ name }) => name)).toEqual(expect.arrayContaining(['bookcorpus', 'c4']));
  expect(corpora.find(({ name }) => name === 'wikitext-2')).toMatchObject({
    repository: 'Salesforce/wikitext',
    config: 'wikitext-2-raw-v1',
    split: 'test',
    column: 'text',
  });
  expect(corpora.find(({ name }) => name === 'ptb')).toMatchObject({ split: 'validation', column: 'sentence' });
  // What a number is calibrated on is not what it is evaluated on.
  for (const { uses } of corpora) expect(uses).toHaveLength(1);
});

test.each<[string, number, Record<string, unknown>, RegExp]>([
  ['a name with spaces', 0, { name: 'a b' }, /corpora\.0\.name/],
  ['a repository that leads elsewhere', 1, { repository: '../x' }, /corpora\.1\.repository/],
  ['a split that leads out of the folder', 0, { split: 'a/../b' }, /corpora\.0\.split/],
  ['no use', 0, { uses: [] }, /corpora\.0\.uses/],
  ['no rows', 0, { rows: 0 }, /corpora\.0\.rows/],
  ['a name twice', 1, { name: shipped().corpora[0]?.['name'] }, /two corpora have the name/],
])('%s: refused with its place', (_, index, change, message) => {
  const { version, corpora } = shipped();
  corpora[index] = { ...corpora[index], ...change };
  expect(() => parseCorpora({ version, corpora })).toThrow(message);
});

test('another file is refused', () => {
  expect(() => parseCorpora([])).toThrow(/corpora\.json: version/);
  expect(() => parseCorpora({ version: 2, corpora: [] })).toThrow(/version/);
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseHubSource } from '../shards/hubSource';
import { parseCatalogue } from './catalogue';

test('the catalogue that ships is one, and each entry names a model on the Hub', () => {
  const models = parseCatalogue(JSON.parse(readFileSync('public/catalogue.json', 'utf8')));
  expect(models.length).toBeGreaterThan(1);
  for (const { repository, revision } of models) {
    const source = parseHubSource(`${repository}@${revision}`, 'https://huggingface.co');
    expect(source).toEqual({ repo: repository, revision });
  }
});

test('another file is refused with the place of its first fault', () => {
  const entry = { repository: 'a/b', revision: 'main', approximateBytes: -1, why: 'x' };
  expect(() => parseCatalogue({ version: 1, models: [entry] })).toThrow(/models\.0\.approximateBytes/);
  expect(() => parseCatalogue([])).toThrow(/catalogue\.json/);
});

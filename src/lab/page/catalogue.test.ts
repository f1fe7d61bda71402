import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseHubSource } from '../../shards/sources/hubSource';
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
  expect(() => parseCatalogue({ version: 1, models: [entry] })).toThrow(/models\.0\.approximateBytes \(a\/b\)/);
  const misspelt = { ...entry, approximateBytes: 1, licens: 'mit' };
  expect(() => parseCatalogue({ version: 1, models: [misspelt] })).toThrow(/models\.0\.licens/);
  expect(() => parseCatalogue([])).toThrow(/catalogue\.json/);
});

test('an entry needs neither licence nor gate', () => {
  const entry = { repository: 'a/b', revision: 'main', approximateBytes: 1, why: 'x' };
  expect(parseCatalogue({ version: 1, models: [entry] })).toEqual([{ ...entry, gated: false }]);
  expect(parseCatalogue({ version: 1, models: [{ ...entry, gated: true, licence: 'mit' }] })[0]?.gated).toBe(true);
});

test('the description of the catalogue names every field', () => {
  const description = readFileSync('public/catalogue.md', 'utf8');
  const fields = ['repository', 'revision', 'approximateBytes', 'licence', 'gated', 'why'];
  for (const field of fields) expect(description).toContain(`\`${field}\``);
});

import { expect, test } from 'vitest';
import type { ModelPreview } from '../../lab/types';
import { parseConfig } from '../../model/config';
import { tinyConfig } from '../../shards/testing/tinyModel';
import { previewFacts } from './previewFacts';

const { shape, architecture } = parseConfig(tinyConfig);
const preview: ModelPreview = {
  id: 'hf:a/b',
  source: 'a/b@0',
  revision: '0',
  architecture,
  shape,
  parameters: 1e6,
  bytes: 2e6,
  weightBytes: 2e6,
  largestBindingBytes: 5e5,
  storedBytes: 0,
  stored: false,
  freeBytes: 3e6,
  licence: 'mit',
  gated: false,
};
const value = (shown: ModelPreview, label: string) =>
  previewFacts(shown, null).facts.find((fact) => fact.label === label)?.value;

test('what is here already is not downloaded again', () => {
  expect(value(preview, 'Download')).toBe('2.0\u00a0MB');
  expect(value({ ...preview, storedBytes: 5e5 }, 'Download')).toBe('1.5\u00a0MB');
  expect(value({ ...preview, stored: true }, 'Download')).toBe('stored');
  expect(value({ ...preview, bytes: null }, 'Download')).toBe('unknown');
  expect(value(preview, 'Licence')).toBe('mit');
  expect(value(preview, 'Access')).toBeUndefined();
});

test('what does not fit is said: storage by what is left to fetch, the GPU by its largest binding', () => {
  const limits = { maxStorageBufferBindingSize: 4e5 };
  expect(previewFacts(preview, null).warnings).toEqual([]);
  expect(previewFacts(preview, { limits }).warnings).toEqual([expect.stringContaining('largest matrix')]);
  const tight = { ...preview, freeBytes: 1e6 };
  expect(previewFacts(tight, null).warnings).toEqual([expect.stringContaining('does not fit')]);
  expect(previewFacts({ ...tight, storedBytes: 1.5e6 }, null).warnings).toEqual([]);
});

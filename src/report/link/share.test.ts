/** @file A report as a link and as a file, and back. */
import { expect, test } from 'vitest';
import { randomRecord } from '../testing/randomRecord';
import { readReport, shareable } from './share';

const page = 'https://example.org/secateur/?model=demo#view';

test('a link begins with the page, without query and fragment, and opens again', async () => {
  const { url, characters, leftOut } = await shareable(randomRecord(1), { title: 'A title', notes: 'Größe', page });
  expect(url).toMatch(/^https:\/\/example\.org\/secateur\/#s1\.[\w-]*[A-Za-z0-9]$/);
  expect([characters, leftOut]).toEqual([url.length, []]);
  expect(await readReport(url)).toMatchObject({
    title: 'A title',
    notes: 'Größe',
    model: { id: randomRecord(1).model.id },
  });
});

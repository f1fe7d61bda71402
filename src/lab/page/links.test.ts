import { expect, test } from 'vitest';
import { sourceId, storedAs } from '../../shards/sources/sourceId';
import { linkOf, sameModel } from './links';

const hub = 'https://huggingface.co';
const sha = 'a'.repeat(40);

test.each([
  ['owner/name', { kind: 'hub', host: 'huggingface.co', name: 'owner/name', revision: 'main' }],
  [`hf:owner/name@${sha}`, { kind: 'hub', host: 'huggingface.co', name: 'owner/name', revision: sha }],
  ['https://huggingface.co/owner/name/tree/dev', { kind: 'hub', name: 'owner/name', revision: 'dev' }],
  [
    'https://host.example/models/tiny/config.json',
    { kind: 'folder', host: 'host.example', name: '/models/tiny/', source: 'https://host.example/models/tiny/' },
  ],
])('the card of %s', (source, expected) => {
  expect(linkOf(source, null, 'link')).toMatchObject(expected);
});

test('a name in another alphabet shows in ASCII, so that it looks like no other', () => {
  expect(linkOf('https://huggingf\u0430ce.co/owner/name/', null, 'link')?.host).toMatch(/^xn--/);
});

test('names are looked up where the address says; demo and files have no card; what names nothing is refused', () => {
  expect(linkOf('owner/name', 'http://127.0.0.1:5000', 'gone')).toMatchObject({
    host: '127.0.0.1:5000',
    reason: 'gone',
  });
  expect(linkOf('demo', null, 'link')).toBeNull();
  expect(linkOf('files:abc', null, 'link')).toBeNull();
  for (const wrong of [
    'nonsense',
    'javascript:alert(1)',
    'https://user:x@host.example/',
    'https://huggingface.co/spaces/a/b',
  ])
    expect(() => linkOf(wrong, null, 'link'), wrong).toThrow(expect.objectContaining({ code: 'bad-source' }));
});

test('what is stored of a source: any revision of a branch that may move, the very commit that is named', () => {
  const stored = [
    { id: 'demo', revision: 'x' },
    { id: 'hf:owner/name', revision: sha },
    { id: 'folder:https://host.example/m/', revision: 'latest' },
    { id: 'files:abc', revision: '1' },
  ];
  const find = (source: string) => storedAs(stored, sourceId(source, hub))?.id ?? null;
  expect(find('owner/name')).toBe('hf:owner/name');
  expect(find(`owner/name@${sha}`)).toBe('hf:owner/name');
  expect(find(`owner/name@${'b'.repeat(40)}`)).toBeNull();
  expect(find('owner/name@dev')).toBeNull();
  expect(find('owner/other')).toBeNull();
  expect(find('https://host.example/m')).toBe('folder:https://host.example/m/');
  expect(find('https://host.example/m/#x')).toBe('folder:https://host.example/m/');
  expect(find('files:abc')).toBe('files:abc');
  expect(find('demo')).toBe('demo');
});

test('two sources of one model', () => {
  expect(sameModel('owner/name', `https://huggingface.co/owner/name/commit/${sha}`, null)).toBe(true);
  expect(sameModel('owner/name', 'owner/other', null)).toBe(false);
  expect(sameModel('https://host.example/m', 'https://host.example/m/config.json', null)).toBe(true);
  expect(sameModel('nonsense', 'nonsense', null)).toBe(false);
});

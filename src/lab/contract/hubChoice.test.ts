import { expect, test } from 'vitest';
import { hubOfAddress } from './hubChoice';

const of = (hub: string, page = '127.0.0.1') => hubOfAddress(`?hub=${encodeURIComponent(hub)}`, page);

test.each([
  ['http://127.0.0.1:5000', 'http://127.0.0.1:5000'],
  ['http://localhost:5000/any/path?x', 'http://localhost:5000'],
  ['https://localhost', 'https://localhost'],
  ['http://127.1:9', 'http://127.0.0.1:9'], // URL's own reading of a short address
  ['http://2130706433/', 'http://127.0.0.1'],
])('a page of this machine may name a Hub on this machine: %s', (hub, origin) => {
  expect(of(hub)).toEqual({ hub: origin, refused: null });
  expect(of(hub, 'localhost').hub).toBe(origin);
});

test.each([
  'https://evil.example',
  'http://localhost.evil.example',
  'http://127.0.0.1.evil.example:5000',
  'http://localhost@evil.example',
  'http://user:pass@localhost:5000',
  'https://huggingface.co.evil.example',
  'http://0.0.0.0:5000',
  'http://192.168.1.5:5000',
  'http://[::1]:5000', // the page's policy cannot name it
  'http://[::ffff:7f00:1]:5000',
  'http://xn--lcalhost-54a:5000',
  'ftp://localhost',
  'javascript:alert(1)//localhost',
  '//localhost',
  'localhost:5000',
  'nonsense',
])('no other is followed: %s', (hub) => {
  expect(of(hub)).toEqual({ hub: null, refused: hub });
});

test('a page that others serve may name none, and no name is none', () => {
  expect(of('http://127.0.0.1:5000', 'lab.example').hub).toBeNull();
  expect(of('http://127.0.0.1:5000', 'localhost.evil.example').hub).toBeNull();
  expect(hubOfAddress('?model=', '127.0.0.1')).toEqual({ hub: null, refused: null });
  expect(of('')).toEqual({ hub: null, refused: null });
});

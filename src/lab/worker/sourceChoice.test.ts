import { expect, test } from 'vitest';
import type { Source } from '../contract/types';
import { checkedChoice, type SourceChoice } from './sourceChoice';

const checked = (options: unknown, source: Source = 'owner/name') => checkedChoice(source, options as SourceChoice);

test('what is given is kept, what is missing stays out', () => {
  expect(checked({})).toEqual({});
  expect(checked({ token: '', revision: undefined, hub: null, stored: false })).toEqual({});
  expect(checked({ token: ' hf_abc\n', revision: 'main', hub: 'https://mirror.example/', stored: true })).toEqual({
    token: 'hf_abc',
    revision: 'main',
    hub: 'https://mirror.example',
    stored: true,
  });
});

test.each([
  { token: 'hf_пароль' },
  { token: 'hf_a\nb' },
  { token: 'hf_a b' },
  { token: 'x'.repeat(501) },
  { token: 42 },
  { token: { toString: () => 'hf_x' } },
  { revision: 5 },
  { revision: 'x'.repeat(201) },
  { hub: 'nonsense' },
  { hub: 3 },
  { hub: 'http://mirror.example' },
  { hub: 'https://user:pass@mirror.example' },
])('%o is refused before any request', (options) => {
  expect(() => checked(options)).toThrow(expect.objectContaining({ code: 'bad-argument' }));
});

test.each([
  'demo',
  'https://host.example/m/',
  'http://127.0.0.1:8000/m/',
  'files:abc',
  'https://huggingface.co.evil.example/a/b',
])('a token beside what is not on the Hub goes nowhere, now or later: %s', (source) => {
  expect(checked({ token: 'hf_abc' }, source)).toEqual({});
  expect(checked({ token: 'hf_abc', hub: 'https://mirror.example' }, source)).toEqual({
    hub: 'https://mirror.example',
  });
});

test('no part of a token is in the error that refuses it', () => {
  let said = '';
  try {
    checked({ token: 'hf_тайна' });
  } catch (thrown) {
    said = JSON.stringify(thrown, Object.getOwnPropertyNames(thrown));
  }
  expect(said).toContain('The token contains');
  expect(said).not.toMatch(/hf_|тайна/);
});

test.each(['http://192.168.1.5:8000/m/', 'http://host.example/m/', ' HTTP://localhost.evil.example/'])(
  'an unencrypted address of another machine is refused: %s',
  (source) => {
    expect(() => checked({}, source)).toThrow(expect.objectContaining({ code: 'bad-source' }));
  },
);

test.each([
  'http://127.0.0.1:8000/m/',
  'http://localhost/m/',
  'https://host.example/m/',
  'http://huggingface.co/a/b',
  'demo',
])('this machine, encrypted addresses and the Hub are not: %s', (source) => {
  expect(checked({}, source)).toEqual({});
});

import { expect, test } from 'vitest';
import { LabError, readable, shown } from './errors';

test('what others wrote cannot rearrange a page or a terminal: control and direction characters are written out', () => {
  const { message, remedy } = new LabError('internal', 'a\u202eb\u001b[2Jc\u0000', 'd\u2066e\ufefff');
  expect(message).toBe('a\\u{202e}b\\u{1b}[2Jc\\u{0}');
  expect(remedy).toBe('d\\u{2066}e\\u{feff}f');
  expect(readable('half \ud83d, whole 🌳\n\ttab')).toBe('half \\u{d83d}, whole 🌳\n\ttab');
  expect(readable('tag \u{e0041}')).toBe('tag \\u{e0041}');
  expect(readable('सीता é 文 <b>')).toBe('सीता é 文 <b>');
});

test('an error stays readable however much a file says', () => {
  const { message, remedy } = new LabError('internal', 'x'.repeat(1e6), 'y'.repeat(1e6));
  expect(message.length).toBeLessThan(2000);
  expect(remedy.length).toBeLessThan(2000);
});

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = wrap(value);
  return value;
}

test('any value is shown, short, and never throws', () => {
  expect(shown('a\nb')).toBe("'a\nb'");
  expect(shown(undefined)).toBe('nothing');
  expect(shown(null)).toBe('null');
  expect(shown(-0.5)).toBe('-0.5');
  expect(shown(Number.NaN)).toBe('NaN');
  expect(shown(7n)).toBe('7');
  expect(shown({ a: [1, 'x', { b: null }] })).toBe('{"a":[1,"x",{"b":null}]}');
  expect(shown(nested(100_000, (inner) => [inner]))).toBe('[[[[[…]]]]]');
  expect(shown(nested(100_000, (inner) => ({ a: inner })))).toBe('{"a":{"a":{"a":{"a":{…}}}}}');
  expect(shown('x'.repeat(1e6)).length).toBeLessThan(120);
  expect(shown(Array.from({ length: 1e6 }, (_, i) => i)).length).toBeLessThan(120);
  expect(shown({ ['k'.repeat(1e6)]: 'v'.repeat(1e6) }).length).toBeLessThan(120);
  const hostile = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('no');
      },
    },
  );
  expect(shown(hostile)).toBe('a value that cannot be shown');
  const circular: { self?: unknown } = {};
  circular.self = circular;
  expect(shown(circular)).toContain('{…}');
});

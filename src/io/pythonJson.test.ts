import { expect, test } from 'vitest';
import { parseJson } from './json';
import { maxJsonDepth, parsePythonJson } from './pythonJson';

const parse = (text: string): unknown => parseJson(text, 'config.json', 'bad-config');

test.each([
  ['{"time_step_limit": [0.0, Infinity]}', { time_step_limit: [0, Number.POSITIVE_INFINITY] }],
  [
    '[NaN, -Infinity, -1.5e3, 0, true, null, "NaN"]',
    [Number.NaN, Number.NEGATIVE_INFINITY, -1500, 0, true, null, 'NaN'],
  ],
  ['{"model_max_length": 1000000000000000019884624838656, "x": NaN}', { model_max_length: 1e30, x: Number.NaN }],
  [' { } ', {}],
  ['[[], {}, [NaN]]', [[], {}, [Number.NaN]]],
  ['{"a": 1, "a": NaN, "a": 2}', { a: 2 }],
  ['{"a\\u00e9\\n\\"": "\\\\", "b": NaN}', { 'aé\n"': '\\', b: Number.NaN }],
  ['["\\ud800", Infinity]', ['\ud800', Number.POSITIVE_INFINITY]],
  ['\ufeff{"a": NaN}', { a: Number.NaN }],
  ['\ufeff{"a": 1}', { a: 1 }],
])('%s is what Python reads', (text, value) => {
  expect(parse(text)).toEqual(value);
});

test('both parsers agree on what is JSON', () => {
  const texts = ['{"a":[1,2,{"b":null}],"c":"\\u20ac"}', '[]', '"x"', '-0.5e-7', ' [ 1 , 2 ] ', '{"":{"":[[[]]]}}'];
  for (const text of texts) expect(parsePythonJson(text)).toEqual(JSON.parse(text));
});

test("a field named __proto__ is a field, and no object's prototype", () => {
  const value = parse('{"__proto__": {"rope_theta": NaN}, "constructor": Infinity}') as object;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
  expect('rope_theta' in value).toBe(false);
});

test.each([
  ['{"a": 1,}', 'in column 9'],
  ['[1,\n 2,\n]', 'line 3, column 1'],
  ['{"a" 1}', "expected ':' in column 6"],
  ["{'a': 1}", 'double quotes'],
  ['{"a": 1', "expected ',' or '}'"],
  ['{"a": [1, 2', "expected ',' or ']'"],
  ['{"a": nan}', 'expected a value'],
  ['[+1]', 'expected a value'],
  ['[01]', "expected ',' or ']'"],
  ['[.5]', 'expected a value'],
  ['[1.]', "expected ',' or ']'"],
  ['["a\tb"]', 'a malformed string in column 2'],
  ['["\\x41"]', 'a malformed string'],
  ['["abc', 'a malformed string'],
  ['{} {}', 'more text than one value'],
  ['', 'the text ends'],
  ['-NaN', 'expected a value'],
])('%s is refused with its place', (text, named) => {
  expect(() => parse(text)).toThrow(named);
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'bad-config' }));
});

test('depth is bounded, whichever parser reads it', () => {
  const nested = (depth: number, inner: string) => `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`;
  for (const inner of ['1', 'NaN', '"]["']) {
    expect(() => parse(nested(maxJsonDepth, inner))).not.toThrow();
    expect(() => parse(nested(maxJsonDepth + 1, inner))).toThrow('more than 900 levels deep in column 901');
    expect(() => parse(nested(300_000, inner))).toThrow(expect.objectContaining({ code: 'bad-config' }));
  }
});

test('what a person may have done is in the remedy', () => {
  const remedy = (text: string): unknown => {
    try {
      return parse(text);
    } catch (thrown) {
      return (thrown as { remedy: string }).remedy;
    }
  };
  expect(remedy('  ')).toContain('empty');
  expect(remedy('{"a": 1,}')).toContain('comma');
  expect(remedy('{\0"\0a\0"\0')).toContain('UTF-8');
});

import { expect, test } from 'vitest';
import {
  bytes,
  comparable,
  integer,
  milliseconds,
  millisecondsTick,
  ordinal,
  percent,
  perplexity,
  perplexityChange,
  plural,
  quantity,
  removedShare,
  significant,
  tick,
  times,
  tokensPerSecond,
} from './format';

const nbsp = '\u00a0';

test.each([
  [0, '0'],
  [0.227, '0.227'],
  [0.00123, '0.00123'],
  [0.000123, '1.2e−4'],
  [1, '1.00'],
  [21.34, '21.3'],
  [4494.02, '4,494'],
  [-3.5, '−3.50'],
  [2.5e6, `2.50${nbsp}M`],
  [Number.NaN, 'not a number'],
  [Number.POSITIVE_INFINITY, '∞'],
])('three significant digits of %d', (value, text) => {
  expect(significant(value)).toBe(text);
});

test.each([
  [260, '260'],
  [9990, '9,990'],
  [12_345, `12.3${nbsp}k`],
  [999_960, `1.00${nbsp}M`],
  [2_631_168, `2.63${nbsp}M`],
  [6_738_415_616, `6.74${nbsp}B`],
  [405e9, `405${nbsp}B`],
])('%d as a quantity', (value, text) => {
  expect(quantity(value)).toBe(text);
});

test.each([
  [0, `0${nbsp}B`],
  [999, `999${nbsp}B`],
  [1000, `1.0${nbsp}kB`],
  [999_600, `1.0${nbsp}MB`],
  [10_524_672, `10.5${nbsp}MB`],
  [544e6, `544${nbsp}MB`],
])('%d bytes', (value, text) => {
  expect(bytes(value)).toBe(text);
});

test.each([
  [2.64321, '2.643'],
  [20.914, '20.91'],
  [99.996, '100.0'],
  [8276.4, '8,276'],
  [Number.POSITIVE_INFINITY, '∞'],
])('perplexity %d', (value, text) => {
  expect(perplexity(value)).toBe(text);
});

test('a change carries its sign, and none when it rounds to nothing', () => {
  expect(perplexityChange(23.46, 20.91)).toBe('+2.55');
  expect(perplexityChange(2.73, 2.64)).toBe('+0.090');
  expect(perplexityChange(20.31, 20.91)).toBe('−0.60');
  expect(perplexityChange(20.001, 20)).toBe('±0.00');
  expect(perplexityChange(8276, 20.91)).toBe('+8,255');
  expect(perplexityChange(Number.POSITIVE_INFINITY, 20)).toBe('+∞');
});

test('scores in a narrow range get the decimals that tell them apart', () => {
  const narrow = comparable([2.57, 2.66]);
  expect([2.5881, 2.5934, 41.8].map(narrow)).toEqual(['2.588', '2.593', '41.8']);
  expect([23.4, 38.8].map(comparable([23, 61]))).toEqual(['23.4', '38.8']);
  expect([4494, 4914].map(comparable([4494, 4914]))).toEqual(['4,494', '4,914']);
  expect(comparable([1, 1])(Number.POSITIVE_INFINITY)).toBe('∞');
});

test.each([
  [0, '0'],
  [0.5, '0.5 ms'],
  [1.5, '1.5 ms'],
  [10, '10 ms'],
  [12.5, '12.5 ms'],
  [100, '100 ms'],
  [20_000, '20 s'],
])('the tick of a time keeps its whole number: %f is %s', (value, text) => {
  expect(millisecondsTick(value).replace(nbsp, ' ')).toBe(text);
});

test('times change to seconds from ten thousand milliseconds on', () => {
  expect(milliseconds(4.713)).toBe(`4.71${nbsp}ms`);
  expect(milliseconds(38.46)).toBe(`38.5${nbsp}ms`);
  expect(milliseconds(641.2)).toBe(`641${nbsp}ms`);
  expect(milliseconds(12_340)).toBe(`12.3${nbsp}s`);
});

test('shares', () => {
  expect(percent(1)).toBe('100%');
  expect(percent(0.8466)).toBe('84.7%');
  expect(removedShare(0.1534)).toBe('−15.3%');
  expect(removedShare(0)).toBe('±0%');
});

test('ticks are written as round as they are', () => {
  expect([0, 0.05, 22.5, 10_000].map(tick)).toEqual(['0', '0.05', '22.5', '10,000']);
});

test('words around numbers', () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal)).toEqual([
    '1st',
    '2nd',
    '3rd',
    '4th',
    '11th',
    '12th',
    '13th',
    '21st',
    '112th',
  ]);
  expect(plural(1, 'block')).toBe('1 block');
  expect(plural(12, 'block')).toBe('12 blocks');
  expect(times(1.204)).toBe('1.20×');
  expect(tokensPerSecond(2940.4)).toBe(`2,940${nbsp}tok/s`);
  expect(integer(-0.2)).toBe('0');
});

import { expect, test } from 'vitest';
import { progressShare, progressText, rateOf, remainingText, withSample } from './progress';

test('a share needs a total', () => {
  expect(progressShare(null)).toBeNull();
  expect(progressShare({ stage: '', done: 5, total: 0, unit: 'bytes' })).toBeNull();
  expect(progressShare({ stage: '', done: 5, total: 20, unit: 'runs' })).toBe(0.25);
  expect(progressShare({ stage: '', done: 21, total: 20, unit: 'runs' })).toBe(1);
});

test('progress in words', () => {
  expect(progressText({ stage: '', done: 5, total: 12, unit: 'blocks' })).toBe('5 of 12 blocks');
  expect(progressText({ stage: '', done: 4.2e6, total: 10.5e6, unit: 'bytes' })).toBe('4.2\u00a0MB of 10.5\u00a0MB');
  expect(progressText({ stage: '', done: 4.2e6, total: 0, unit: 'bytes' })).toBe('4.2\u00a0MB');
});

test('the rate is taken over the last three seconds', () => {
  let samples = withSample([], { time: 0, done: 0, stage: '' });
  expect(rateOf(samples)).toBeNull();
  samples = withSample(samples, { time: 100, done: 900_000, stage: '' });
  expect(rateOf(samples)).toBeNull();
  samples = withSample(samples, { time: 1000, done: 1_000_000, stage: '' });
  expect(rateOf(samples)).toBe(1_000_000);
  samples = withSample(samples, { time: 4000, done: 7_000_000, stage: '' });
  expect(samples.map(({ time }) => time)).toEqual([1000, 4000]);
  expect(rateOf(samples)).toBe(2_000_000);
});

test('a count that falls back begins a new observation', () => {
  const samples = withSample([{ time: 0, done: 900, stage: '' }], { time: 1000, done: 10, stage: '' });
  expect(samples).toEqual([{ time: 1000, done: 10, stage: '' }]);
});

test('bytes of another stage do not count into the rate: what was stored before came over no network', () => {
  const found = withSample([], { time: 0, done: 900_000, stage: 'finding' });
  const first = withSample(found, { time: 10, done: 900_000, stage: 'download' });
  expect(rateOf(withSample(first, { time: 1010, done: 1_000_000, stage: 'download' }))).toBe(100_000);
  expect(withSample(first, null)).toEqual([]);
});

test('what remains: seconds, minutes, hours, and nothing where nothing is known', () => {
  const left = (done: number, rate: number) => remainingText({ stage: '', done, total: 10_000, unit: 'bytes' }, rate);
  expect(left(9000, 100)).toBe(' · 10 s left');
  expect(left(1000, 50)).toBe(' · 3 min left');
  expect(left(0, 1)).toBe(' · 2 h 47 min left');
  expect(left(10_000, 100)).toBe('');
  expect(left(0, 0)).toBe('');
});

import { expect, test } from 'vitest';
import type { SpeedUp } from '../../report/results';
import { overBase, speedUpStory, speedUpText } from './speedUp';

const speedUp = (ratio: number, low: number, high: number, changes: Partial<SpeedUp> = {}): SpeedUp => ({
  ratio,
  low,
  high,
  against: 'base',
  decode: null,
  pairs: 10,
  inTurns: true,
  ...changes,
});

test('an interval beside 1 is a verdict, one that includes 1 is none', () => {
  expect(speedUpText(speedUp(1.314, 1.27, 1.36))).toEqual({
    value: '1.31×',
    interval: '1.27 to 1.36',
    verdict: 'faster',
  });
  expect(speedUpText(speedUp(0.9, 0.85, 0.95)).verdict).toBe('slower');
  expect(speedUpText(speedUp(1.1, 0.99, 1.2)).verdict).toBe('open');
  expect(speedUpText(speedUp(12.34, 12, 12.9)).interval).toBe('12.0 to 12.9');
});

test('the story says how it was measured', () => {
  expect(speedUpStory(speedUp(1.31, 1.27, 1.36))).toBe(
    '1.31×, 95 % interval 1.27 to 1.36, 10 pairs of alternating runs',
  );
  expect(speedUpStory(speedUp(1.01, 0.9, 1.1, { inTurns: false, pairs: 4 }))).toBe(
    '1.01×, 95 % interval 0.90 to 1.10 (these runs show no significant difference), 4 runs each, not alternating: memory was too small for both',
  );
});

test('only what ran beside the whole model counts, and a time of an earlier version has none', () => {
  const measured = speedUp(1.3, 1.2, 1.4);
  expect(overBase({ speedUp: measured })).toBe(measured);
  expect(overBase({ speedUp: { ...measured, against: 'v1' } })).toBeNull();
  expect(overBase({})).toBeNull();
});

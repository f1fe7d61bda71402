/** @file Rotary embeddings: frequencies that one can work out by hand, and what the table makes of them. */
import { describe, expect, test } from 'vitest';
import { inverseFrequencies, type RopeScaling, rope, ropeTable, rotaryTable, yarnAttentionFactor } from './rope';

/** With θ 16 and 8 channels the pairs turn by 1, 1/2, 1/4, 1/8: 8, 4, 2 and 1 times in 16π positions. */
const theta = 16;
const headDim = 8;
const originalPositions = 16 * Math.PI;

function expectFrequencies(scaling: RopeScaling, expected: readonly number[]): void {
  const found = inverseFrequencies({ theta, scaling }, headDim);
  expect(found).toHaveLength(expected.length);
  expected.forEach((value, pair) => void expect(found[pair]).toBeCloseTo(value, 12));
}

test('the plain embedding', () => {
  const found = inverseFrequencies({ theta }, headDim);
  [1, 1 / 2, 1 / 4, 1 / 8].forEach((value, pair) => void expect(found[pair]).toBeCloseTo(value, 15));
});

test('linear scaling divides every frequency', () => {
  expectFrequencies({ kind: 'linear', factor: 4 }, [1 / 4, 1 / 8, 1 / 16, 1 / 32]);
});

test('llama3 keeps fast pairs, divides slow ones and blends between', () => {
  // More than 4 turns: kept. 2 turns: a third of the way from 1 to 4, so 1/3 kept and 2/3 divided. 1 turn: divided.
  const scaling = { kind: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalPositions } as const;
  expectFrequencies(scaling, [1, 1 / 2, (1 / 4) * (1 / 3 + 2 / 3 / 8), 1 / 64]);
});

describe('YaRN', () => {
  const yarn = { kind: 'yarn', factor: 4, originalPositions, truncate: false, attentionFactor: 1 } as const;

  test('ramps over the pairs between two numbers of turns', () => {
    // 4 turns are pair 1, 1 turn is pair 3: pair 2 is half kept, half divided.
    const expected = [1, 1 / 2, (1 / 4) * (1 / 2 + 1 / 2 / 4), 1 / 32];
    expectFrequencies({ ...yarn, betaFast: 4, betaSlow: 1 }, expected);
  });

  test('may round the ends of the ramp outwards to whole pairs', () => {
    // Turns of pairs 1/2 and 5/2.
    const ends = { betaFast: 8 / 2 ** 0.5, betaSlow: 8 / 2 ** 2.5 };
    const blend = (kept: number): number => kept + (1 - kept) / 4;
    expectFrequencies({ ...yarn, ...ends }, [1, blend(3 / 4) / 2, blend(1 / 4) / 4, 1 / 32]);
    expectFrequencies({ ...yarn, ...ends, truncate: true }, [1, blend(2 / 3) / 2, blend(1 / 3) / 4, 1 / 32]);
  });

  test('ends inside the head, and a ramp without length is a step', () => {
    const blend = (kept: number): number => kept + (1 - kept) / 4;
    expectFrequencies({ ...yarn, betaFast: 8 * 2 ** 2, betaSlow: 8 / 2 ** 20 }, [
      1,
      blend(6 / 7) / 2,
      blend(5 / 7) / 4,
      blend(4 / 7) / 8,
    ]);
    const turns = 8 / 2 ** 1.5;
    expectFrequencies({ ...yarn, betaFast: turns, betaSlow: turns }, [1, 1 / 2, 1 / 16, 1 / 32]);
  });

  test('lengthens queries and keys', () => {
    expect(yarnAttentionFactor(Math.exp(10))).toBeCloseTo(2, 14);
    expect(yarnAttentionFactor(Math.exp(10), 2, 1)).toBeCloseTo(3 / 2, 14);
    expect(yarnAttentionFactor(Math.exp(10), 1, 1)).toBe(1);
    expect(yarnAttentionFactor(0.5, 3, 1)).toBe(1);
    const x = Float64Array.of(3, 0, 4, 0, 3, 0, 4, 0);
    const rotated = rope(x, 1, 4, { theta, scaling: { ...yarn, betaFast: 32, betaSlow: 1, attentionFactor: 1.5 } });
    expect(rotated.subarray(0, 4)).toEqual(Float64Array.of(4.5, 0, 6, 0));
    expect(Math.hypot(...rotated.subarray(4))).toBeCloseTo(7.5, 14);
  });
});

test('a table holds cos and sin of position times frequency', () => {
  const table = rotaryTable({ theta: 100, scaling: { kind: 'linear', factor: 5 } }, 4, 3);
  expect(table).toHaveLength(3 * 4);
  expect(table[2 * 4]).toBeCloseTo(Math.cos(2 / 5), 15);
  expect(table[2 * 4 + 3]).toBeCloseTo(Math.sin(2 / 50), 15);
  expect(rotaryTable({ theta: 100 }, 4, 3)).toEqual(ropeTable(3, 4, 100));
});

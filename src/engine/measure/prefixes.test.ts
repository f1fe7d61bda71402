/** @file The plan of shared prefixes, carried out on lists of names. */
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../numerics/random';
import { planPrefixes } from './prefixes';

/** What each candidate has passed in the end, and how often a sub-block was passed in all. */
function carryOut(passes: readonly (readonly boolean[])[]): { states: string[]; work: number } {
  const plan = planPrefixes(passes);
  const slots = new Array<string>(plan.slots).fill('?');
  slots[0] = '';
  let work = 0;
  plan.subBlocks.forEach(({ copies, swaps, active }, subBlock) => {
    for (const [from, to] of copies) {
      expect(slots[to]).toBe('?'); // nothing that is still needed is overwritten
      slots[to] = slots[from]!;
    }
    for (const [a, b] of swaps) [slots[a], slots[b]] = [slots[b]!, slots[a]!];
    for (let slot = 0; slot < active; slot++) slots[slot] += `${subBlock} `;
    work += active;
  });
  return { states: plan.slotOf.map((slot) => slots[slot]!), work };
}

const separate = (passes: readonly (readonly boolean[])[]) => passes.flat().filter(Boolean).length;
const stated = (passes: readonly (readonly boolean[])[]) =>
  passes.map((mine) => mine.map((goes, subBlock) => (goes ? `${subBlock} ` : '')).join(''));

describe('every candidate passes its own subBlocks, and no shared prefix twice', () => {
  test('one removal each: the triangle of a removal sweep', () => {
    const passes = [0, 1, 2, 3].map((removed) => [0, 1, 2, 3].map((subBlock) => subBlock !== removed));
    const { states, work } = carryOut(passes);
    expect(states).toEqual(stated(passes));
    // The base up to the last removal (3), and 3, 2, 1 and 0 subBlocks behind the removals.
    expect(work).toBe(3 + 3 + 2 + 1);
    expect(separate(passes)).toBe(12);
  });

  test('equal candidates share a slot', () => {
    const passes = [
      [true, false, true],
      [true, false, true],
    ];
    expect(carryOut(passes)).toEqual({ states: ['0 2 ', '0 2 '], work: 2 });
    expect(planPrefixes(passes).slots).toBe(1);
  });

  test.each([1, 2, 3, 4, 5])('random candidates, seed %i', (seed) => {
    const random = createRandom(seed);
    const passes = Array.from({ length: 13 }, () => Array.from({ length: 10 }, () => random() < 0.6));
    const { states, work } = carryOut(passes);
    expect(states).toEqual(stated(passes));
    const prefixes = passes.flatMap((mine) =>
      mine.flatMap((goes, subBlock) => (goes ? [JSON.stringify(mine.slice(0, subBlock + 1))] : [])),
    );
    expect(work).toBe(new Set(prefixes).size);
    expect(work).toBeLessThan(separate(passes));
  });

  test('no candidates, no subBlocks', () => {
    expect(planPrefixes([[]])).toEqual({ subBlocks: [], slots: 1, slotOf: [0] });
  });
});

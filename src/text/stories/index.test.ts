import { describe, expect, it } from 'vitest';
import { narrate, type Story, stories, storyAt } from './index';
import { type Chooser, Teller } from './teller';

const sample = (seed: number, count: number) => Array.from({ length: count }, (_, index) => storyAt(seed, index));

describe('storyAt', () => {
  it('tells the same story for the same seed and number', () => {
    expect(storyAt(1, 42)).toEqual(storyAt(1, 42));
    expect(storyAt(1, 42).text).not.toBe(storyAt(1, 43).text);
    expect(storyAt(1, 42).text).not.toBe(storyAt(2, 42).text);
  });

  it('shares no story between the books of different seeds', () => {
    const train = new Set(sample(1, 1500).map((story) => story.text));
    for (const { text } of sample(3, 500)) expect(train.has(text)).toBe(false);
  });

  it('writes ASCII without blank lines, and closes each quotation', () => {
    for (const { text } of sample(9, 1000)) {
      expect(text).toMatch(/^[A-Z][ -~]*[.!]$/);
      expect(text.split('"').length % 2).toBe(1);
      expect(text).not.toMatch(/ {2}|undefined|\ba [aeio]/);
    }
  });

  it('accounts for all of its surprise in its pieces', () => {
    for (const { text, nats, pieces } of sample(9, 200)) {
      expect(pieces.map((piece) => piece.text).join('')).toBe(text);
      expect(pieces.reduce((sum, piece) => sum + piece.nats, 0)).toBeCloseTo(nats, 9);
      expect(Math.min(...pieces.map((piece) => piece.nats))).toBeGreaterThanOrEqual(0);
    }
  });
});

describe('stories', () => {
  it('runs through the book in order', () => {
    const book = stories(6);
    expect([book.next().value, book.next().value]).toEqual(sample(6, 2));
  });
});

describe('the grammar', () => {
  it('derives each text in exactly one way, with the probability of its account', () => {
    for (const story of sample(5, 15)) {
      const found = derivations(story);
      expect(found, story.text).toHaveLength(1);
      expect(found[0]).toBeCloseTo(-story.nats, 6);
    }
  });

  it('chooses among probabilities that sum to one', () => {
    const choose: Chooser = (weights) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      expect(Math.min(...weights)).toBeGreaterThan(0);
      expect(weights.reduce((sum, weight) => sum + weight / total, 0)).toBeCloseTo(1, 12);
      return weights.length - 1;
    };
    expect(narrate(new Teller(choose)).length).toBeGreaterThan(10);
  });
});

class WrongWord extends Error {}

/** ln p of each way in which the grammar can write this text: all choices, left to right, dropped at a wrong word. */
function derivations({ text }: Story): number[] {
  const found: number[] = [];
  const script: number[] = [];
  do {
    const logProbability = replay(text, script);
    if (logProbability !== undefined) found.push(logProbability);
  } while (advance(script));
  return found;

  /** To the next script: the last choice that has another option takes it. */
  function advance(choices: number[]): boolean {
    while (choices.length > 0 && choices.at(-1)! + 1 >= sizes[choices.length - 1]!) choices.pop();
    if (choices.length > 0) choices[choices.length - 1]! += 1;
    return choices.length > 0;
  }
}

/** Options at each choice of the latest replay. */
const sizes: number[] = [];

/** Follow the script, then first options (noted in the script); ln p if the text comes out, undefined if not. */
function replay(text: string, script: number[]): number | undefined {
  let used = 0;
  let at = 0;
  let logProbability = 0;
  const choose: Chooser = (weights) => {
    const index = script[used] ?? 0;
    script[used] = index;
    sizes[used++] = weights.length;
    logProbability += Math.log(weights[index]! / weights.reduce((sum, weight) => sum + weight, 0));
    return index;
  };
  const check = (written: string) => {
    if (!text.startsWith(written, at)) throw new WrongWord();
    at += written.length;
  };
  try {
    narrate(new Teller(choose, check));
  } catch (error) {
    if (!(error instanceof WrongWord)) throw error;
    script.length = used;
    return undefined;
  }
  script.length = used;
  return at === text.length ? logProbability : undefined;
}

/** @file The built-in questions: made from the held-out stories, the same everywhere. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mostStoryEndings, sentencesOf, storyEndingItems } from './storyEndings';

const heldOut = readFileSync('public/demo/evaluation.txt', 'utf8');
const calibration = readFileSync('public/demo/calibration.txt', 'utf8');
const items = storyEndingItems(heldOut);

test('sentences end where the quotation marks are closed and another sentence begins', () => {
  const story = 'Mia ran. "I know! It is the pig," she cried. "Oink!" said Ben. "Yes." They laughed!';
  expect(sentencesOf(story)).toEqual([
    'Mia ran.',
    '"I know! It is the pig," she cried.',
    '"Oink!" said Ben.',
    '"Yes."',
    'They laughed!',
  ]);
});

test('every question is the beginning of a held-out story, and its right answer goes on there', () => {
  expect(items).toHaveLength(mostStoryEndings);
  for (const { context, separator, choices, gold } of items) {
    expect(heldOut).toContain(context + separator + choices[gold]);
    expect(calibration).not.toContain(context);
    expect(new Set(choices).size).toBe(4);
  }
});

test('wrong answers are sentences of other stories', () => {
  const stories = heldOut.split('\n\n');
  for (const { context, choices, gold } of items) {
    const own = stories.find((story) => story.startsWith(String(context)))!;
    const wrong = choices.filter((_, index) => index !== gold);
    for (const answer of wrong) {
      expect(heldOut).toContain(answer);
      expect(sentencesOf(own.trim())).not.toContain(answer);
    }
  }
});

test('right answers stand in every place, and the questions are the same each time', () => {
  const places = [0, 1, 2, 3].map((place) => items.filter(({ gold }) => gold === place).length);
  expect(Math.min(...places)).toBeGreaterThan(10);
  expect(storyEndingItems(heldOut)).toEqual(items);
});

test('a text with too few other sentences gives no questions', () => {
  expect(storyEndingItems('A b. C d. E f. G h.')).toEqual([]);
});

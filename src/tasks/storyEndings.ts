/**
 * @file The built-in task: how does a story go on? Each question is the first part of a held-out story; its answers are the
 * sentence that follows there and three sentences from other stories.
 */
import { createRandom, randomInt, shuffled } from '../numerics/random';
import { type TaskItem, taskItem } from './item';

export const storyEndings = 'story-endings';

/** Most questions: one a story. */
export const mostStoryEndings = 100;

const wrongAnswers = 3;
/** Sentences that a question shows. No answer is one of a story's first two sentences, which introduce its hero. */
const shortestContext = 2;
const longestContext = 4;
const seed = 20_240;

/** Sentences of a story. A sentence with direct speech ends where its quotation marks are closed. */
export function sentencesOf(story: string): string[] {
  const sentences: string[] = [];
  let start = 0;
  for (const { index } of story.matchAll(/(?<=[.!?]"?) (?=["A-Z])/g)) {
    const sentence = story.slice(start, index);
    if ((sentence.split('"').length - 1) % 2 === 1) continue;
    sentences.push(sentence);
    start = index + 1;
  }
  return [...sentences, story.slice(start)];
}

/**
 * Questions about stories that are separated by blank lines: the same for the same text.
 * @returns at most `mostStoryEndings`, each with four different answers
 */
export function storyEndingItems(text: string): TaskItem[] {
  const stories = text
    .split(/\r?\n\s*\r?\n/)
    .map((story) => sentencesOf(story.trim()))
    .filter((sentences) => sentences.length > shortestContext);
  const later = [...new Set(stories.flatMap((sentences) => sentences.slice(shortestContext)))];
  const random = createRandom(seed);
  const items: TaskItem[] = [];
  for (const sentences of stories.slice(0, mostStoryEndings)) {
    const most = Math.min(longestContext, sentences.length - 1);
    const cut = shortestContext + randomInt(random, most - shortestContext + 1);
    const right = sentences[cut]!;
    // A sentence that this story has too would be no wrong answer.
    const wrong = shuffled(random, later).filter((sentence) => !sentences.includes(sentence));
    if (wrong.length < wrongAnswers) continue;
    const choices = shuffled(random, [right, ...wrong.slice(0, wrongAnswers)]);
    items.push(taskItem(sentences.slice(0, cut).join(' '), choices, choices.indexOf(right)));
  }
  return items;
}

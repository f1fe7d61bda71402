/**
 * @file Storybook: a probabilistic grammar of small stories, in the spirit of TinyStories (Eldan & Li, 2023).
 *
 * Because every choice is made by the grammar, the surprise of each text is known exactly, and with it the best
 * perplexity that any model of these texts could reach.
 */

import { createRandom, mixSeed, type Random, randomWeighted } from '../../numerics/random';
import { newFriend, riddle } from './plots/animals';
import { errand, gift, race, rain } from './plots/days';
import { brokenAndMended, hidden, lend, lostAndFound, trade } from './plots/things';
import { createScene, meet, open } from './scene';
import { type Piece, Teller } from './teller';

export type { Piece } from './teller';

/** A story, its surprise −ln p in nats, and where in the text that surprise lies. */
export interface Story {
  text: string;
  nats: number;
  pieces: Piece[];
}

const PLOTS = [lostAndFound, brokenAndMended, trade, lend, hidden, gift, race, rain, errand, newFriend, riddle];

/** One story drawn from the grammar. */
export function tellStory(random: Random): Story {
  return asStory(narrate(new Teller((weights) => randomWeighted(random, weights))));
}

/** The story with this number in the endless book of this seed. */
export function storyAt(seed: number, index: number): Story {
  return tellStory(createRandom(mixSeed(seed, index)));
}

/** The endless book of a seed. */
export function* stories(seed: number): Generator<Story, never> {
  for (let index = 0; ; index++) yield storyAt(seed, index);
}

/** Tell a story with a given teller; the pieces of its text. */
export function narrate(t: Teller): Piece[] {
  const scene = createScene(t);
  open(t, scene);
  t.maybe(0.6, () => meet(t, scene));
  t.pick(PLOTS)(t, scene);
  return t.finish();
}

function asStory(pieces: Piece[]): Story {
  return {
    text: pieces.map((piece) => piece.text).join(''),
    nats: pieces.reduce((sum, piece) => sum + piece.nats, 0),
    pieces,
  };
}

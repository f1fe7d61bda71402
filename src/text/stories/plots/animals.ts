/** @file Plots about animals: a hungry one that becomes a friend, and a riddle about its sound. */

import {
  close,
  glad,
  lookAround,
  meal,
  morning,
  oneDay,
  placeLook,
  relation,
  type Scene,
  says,
  tone,
  went,
} from '../scene';
import type { Teller, Word } from '../teller';
import { ANIMALS, keys, PET_NAMES } from '../words';

const soundOf = (animal: Word): Word => {
  return () => ANIMALS[animal()]?.sound ?? '';
};
const foodOf = (animal: Word): Word => {
  return () => ANIMALS[animal()]?.food ?? '';
};

/** A hungry animal is fed, named, and comes back. */
export function newFriend(t: Teller, s: Scene): void {
  const { hero, friend, place, size, colour } = s;
  const animal = t.word(keys(ANIMALS));
  const pet = t.word(PET_NAMES);
  morning(t, s);
  t.say`and ${went(t)} to the ${placeLook(t)} ${place}.`;
  t.maybe(0.7, () => lookAround(t, s));
  t.one(
    () => t.say`There ${hero.he} ${t.any('saw', 'met', 'found', 'heard', 'noticed')} a ${size} ${colour} ${animal}.`,
    () => t.say`A ${size} ${colour} ${animal} sat ${s.spot}.`,
  );
  t.say`"${soundOf(animal)}!" said the ${animal}.`;
  t.one(
    () => t.say`"Are you ${t.any('hungry', 'alone', 'lost')}, ${size} ${animal}?" asked ${hero.name}.`,
    () => t.say`It ${t.any('looked', 'was', 'seemed')} hungry.`,
  );
  t.one(
    () => t.say`${hero.name} had some ${foodOf(animal)} to give to the ${animal}.`,
    () => t.say`${hero.capitalHe} knew that a ${animal} likes ${foodOf(animal)}, so ${hero.he} ran home to get some.`,
  );
  t.one(
    () => t.say`The ${animal} ate all the ${foodOf(animal)} and ${t.any('was happy', 'danced', 'came closer')}.`,
    () => t.say`The ${animal} ate and ate until nothing was left of the ${foodOf(animal)}.`,
  );
  t.one(
    () => t.say`"I will call you ${pet}," ${says(t)} ${hero.name}${tone(t)}.`,
    () => t.say`${hero.name} ${t.any('named it', 'called it')} ${pet}.`,
  );
  t.one(
    () => t.say`The next day, ${hero.he} showed ${pet} to ${hero.his} ${relation(t)} ${friend.name}.`,
    () =>
      t.say`The next day, ${hero.he} came back with ${hero.his} ${relation(t)} ${friend.name} and more ${foodOf(animal)}.`,
  );
  t.one(
    () => t.say`"${soundOf(animal)}!" ${says(t)} ${pet}, and ${friend.name} ${t.any('laughed', 'clapped', 'jumped')}.`,
    () => t.say`"What a ${t.any('nice', 'sweet', 'funny')} ${colour} ${animal}!" ${says(t)} ${friend.name}${tone(t)}.`,
  );
  t.one(
    () => close(t, s),
    () => t.say`From then on, ${hero.name} brought ${foodOf(animal)} to ${pet} every day.`,
    () => t.say`From then on, ${hero.name} and ${pet} were ${t.any('best friends', 'always together')}.`,
  );
}

/** A riddle: the sound tells the animal. */
export function riddle(t: Teller, s: Scene): void {
  const { hero, friend, adult, place } = s;
  const animal = t.word(keys(ANIMALS));
  const wrong = t.word(keys(ANIMALS), [animal]);
  t.one(
    () =>
      t.say`${oneDay(t)}, ${hero.name} and ${hero.his} ${relation(t)} ${friend.name} sat in the ${t.any('kitchen', 'car', 'train', 'boat', 'yard', 'tent')}.`,
    () =>
      t.say`${oneDay(t)}, ${hero.he} ${went(t)} to the ${placeLook(t)} ${place} with ${hero.his} ${relation(t)} ${friend.name} and ${adult.name}.`,
  );
  t.maybe(0.7, () => meal(t, s));
  t.one(
    () => t.say`"Let us play a game," ${says(t)} ${friend.name}${tone(t)}.`,
    () => t.say`They were ${t.any('tired', 'bored', 'cold')}, so they played a game.`,
  );
  t.one(
    () => t.say`"I am thinking of an animal," ${says(t)} ${friend.name}. "It says ${soundOf(animal)}."`,
    () => t.say`"I know an animal that says ${soundOf(animal)}," ${says(t)} ${friend.name}${tone(t)}.`,
    () => t.say`"My animal likes to eat ${foodOf(animal)}," ${says(t)} ${friend.name}${tone(t)}.`,
  );
  t.one(
    () =>
      t.say`"Is it a ${wrong}?" asked ${adult.name}. "No, a ${wrong} says ${soundOf(wrong)}," ${says(t)} ${friend.name}${tone(t)}.`,
    () =>
      t.say`"It must be a ${wrong}," ${says(t)} ${adult.name}. "No, a ${wrong} eats ${foodOf(wrong)}," ${says(t)} ${friend.name}${tone(t)}.`,
  );
  t.maybe(0.4, () => t.say`${hero.name} ${t.any('thought', 'smiled', 'closed both eyes', 'jumped up')}.`);
  t.one(
    () => t.say`"It is a ${animal}!" ${hero.he} ${t.any('said', 'shouted', 'cried')}.`,
    () => t.say`"I know! It is the ${animal}," ${hero.he} ${t.any('said', 'shouted', 'cried')}.`,
  );
  t.one(
    () =>
      t.say`"That is right," ${says(t)} ${friend.name}. "The ${animal} says ${soundOf(animal)} and eats ${foodOf(animal)}."`,
    () => t.say`"Yes! You won, ${hero.name}," ${says(t)} ${friend.name}${tone(t)}.`,
  );
  t.maybe(0.3, () => t.say`Then ${adult.name} ${t.any('said', 'shouted')} "${soundOf(animal)}!" and they all laughed.`);
  t.one(
    () => close(t, s),
    () => t.say`${hero.name} was ${glad(t)} because ${hero.he} had found the answer.`,
  );
}

/** @file The cast and the shared moments of a story: openings, weather, looking on, endings. */

import type { Teller, Word } from './teller';
import {
  ADULTS,
  ANIMALS,
  CHILDREN,
  COLOURS,
  DAYS,
  FOODS,
  GIRLS,
  HOMES,
  keys,
  LOOKS,
  NEAR,
  PET_NAMES,
  PLACE_LOOKS,
  PLACES,
  RELATIONS,
  SIZES,
  STRANGERS,
  TOYS,
  TRAITS,
  WEATHER,
  WOMEN,
} from './words';

/** Someone with a name and the pronouns that go with it. */
export interface Person {
  name: Word;
  /** girl or boy; if it is told before the name, the name follows it. */
  kind: Word;
  he: Word;
  him: Word;
  his: Word;
  capitalHe: Word;
  capitalHis: Word;
}

/** Everything a plot may speak of. Nothing is decided until it is written. */
export interface Scene {
  hero: Person;
  friend: Person;
  adult: Person;
  trait: Word;
  pet: Word;
  petKind: Word;
  size: Word;
  colour: Word;
  toy: Word;
  place: Word;
  /** A place for the thing, within the place of the story. */
  spot: Word;
  /** Another spot, where it is not. */
  wrongSpot: Word;
}

export function createScene(t: Teller): Scene {
  const hero = createPerson(t, CHILDREN);
  const place = t.word(keys(PLACES));
  const spots = () => PLACES[place()]?.spots ?? [];
  return {
    hero,
    friend: createPerson(t, CHILDREN, hero),
    adult: createPerson(t, ADULTS),
    trait: t.word(keys(TRAITS)),
    pet: t.word(PET_NAMES),
    petKind: t.word(keys(ANIMALS)),
    size: t.word(SIZES),
    colour: t.word(COLOURS),
    toy: t.word(keys(TOYS)),
    place,
    ...twoSpots(t, spots),
  };
}

/** Two different spots of the place, in whichever order the story tells them. */
function twoSpots(t: Teller, spots: () => string[]): Pick<Scene, 'spot' | 'wrongSpot'> {
  const told: Partial<Record<'spot' | 'wrongSpot', string>> = {};
  const draw = (key: 'spot' | 'wrongSpot') => () => {
    told[key] ??= t.pick(spots().filter((spot) => spot !== told.spot && spot !== told.wrongSpot));
    return told[key];
  };
  return { spot: draw('spot'), wrongSpot: draw('wrongSpot') };
}

/** A child or a grown-up from the pool, not named like `other`. */
export function createPerson(t: Teller, pool: readonly string[], other?: Person): Person {
  let name: string | undefined;
  let kind: string | undefined;
  const drawName = () => {
    const fitting = pool.filter((candidate) => kind === undefined || kindOf(candidate) === kind);
    name ??= t.pick(fitting.filter((candidate) => candidate !== other?.name()));
    return name;
  };
  const female = () => (kind ?? kindOf(drawName())) === 'girl';
  return {
    name: drawName,
    kind: () => {
      kind ??= name === undefined ? t.pick(['girl', 'boy']) : kindOf(name);
      return kind;
    },
    he: () => (female() ? 'she' : 'he'),
    him: () => (female() ? 'her' : 'him'),
    his: () => (female() ? 'her' : 'his'),
    capitalHe: () => (female() ? 'She' : 'He'),
    capitalHis: () => (female() ? 'Her' : 'His'),
  };
}

/** The first sentences: who this story is about, and what that child is like. */
export function open(t: Teller, { hero, trait, size }: Scene): void {
  const home = t.word(HOMES);
  const near = t.any(...NEAR);
  t.one(
    () => t.say`Once upon a time, there was a ${trait} ${hero.kind} named ${hero.name}.`,
    () => t.say`${hero.name} was a ${trait} ${hero.kind} who lived in a ${size} ${home} ${near}.`,
    () => t.say`In a ${size} ${home} ${near} lived a ${trait} ${hero.kind} named ${hero.name}.`,
    () => t.say`There once was a ${hero.kind} named ${hero.name} who was very ${trait}.`,
  );
  t.maybe(0.2, () => t.say`${hero.capitalHe} ${() => TRAITS[trait()]?.deed ?? ''}.`);
}

/** Someone on the way, or a pet at home; the pet may come back at the end. */
export function meet(t: Teller, { hero, adult, pet, petKind }: Scene): void {
  const stranger = t.any(...STRANGERS);
  const manner = t.any(...keys(TRAITS));
  t.one(
    () =>
      t.say`${hero.capitalHe} ${t.any('knew', 'met', 'once helped', 'liked', 'lived with')} a ${manner} ${stranger} who had a ${t.any(...LOOKS)} ${t.any(...keys(TOYS))} and a ${t.any(...SIZES)} ${t.any(...keys(ANIMALS))}.`,
    () =>
      t.say`${hero.capitalHe} had a ${t.any(...SIZES, ...COLOURS)} ${petKind} named ${pet} and a ${t.any(...SIZES, ...COLOURS)} ${t.any(...keys(TOYS))}.`,
    () =>
      t.say`${hero.capitalHe} wanted to be a ${stranger} like ${adult.name} and live in a ${t.any(...SIZES, ...COLOURS)} ${t.any(...HOMES)} ${t.any(...NEAR)}.`,
  );
}

/** A morning with its weather, and the clothes that go with it; the sentence goes on in the plot. */
export function morning(t: Teller, { hero }: Scene): void {
  const weather = t.word(keys(WEATHER));
  const clothes = () => WEATHER[weather()] ?? '';
  const time = t.any('morning', 'day', 'afternoon');
  const colour = t.any(...COLOURS);
  t.one(
    () => t.say`One ${weather} ${time}, ${hero.he} put on ${hero.his} ${colour} ${clothes}`,
    () => t.say`It was a ${weather} ${time}, so ${hero.name} wore ${hero.his} ${colour} ${clothes}`,
    () => t.say`The ${time} was ${weather}, so ${hero.he} took ${hero.his} ${colour} ${clothes}`,
  );
}

/** A look around, or a meal: colour for the tale, and nothing that it needs later. */
export function lookAround(t: Teller, { hero, place }: Scene): void {
  const animal = t.any(...keys(ANIMALS), 'bee', 'butterfly', 'squirrel');
  const food = t.word(FOODS);
  const more = t.word(FOODS, [food]);
  t.one(
    () => t.say`${() => PLACES[place()]?.view ?? ''}.`,
    () => t.say`The sun was ${t.any('warm', 'bright', 'high', 'hot', 'low')}.`,
    () =>
      t.say`A ${t.any(...SIZES, ...COLOURS)} ${animal} ${t.any('came by', 'looked at them', 'slept in the sun', 'made a noise')}.`,
    () => t.say`${hero.name} had ${food} and ${more} in ${hero.his} ${t.any('bag', 'pocket', 'hand', 'basket')}.`,
    () =>
      t.say`They could see a ${t.any(...SIZES)} ${t.any(...HOMES)} and a ${t.any(...COLOURS)} ${t.any('gate', 'cloud', 'flower', 'roof', 'cart')}.`,
  );
}

/** What was on the table that day. */
export function meal(t: Teller, { hero, adult }: Scene): void {
  const food = t.word(FOODS);
  const more = t.word(FOODS, [food]);
  t.one(
    () => t.say`${t.any('For lunch', 'For a snack', 'As a treat')}, ${hero.he} ate ${food} and ${more}.`,
    () => t.say`${adult.name} ${t.any('brought', 'made', 'gave')} ${hero.him} ${food} with ${more}.`,
    () =>
      t.say`${hero.name} was ${t.any('hungry', 'thirsty', 'tired', 'a bit cold')} after ${t.any('the long way', 'a short sleep', 'so much play', 'a hard day')}.`,
  );
}

/** A verb of saying. */
export function says(t: Teller): Word {
  return t.any('said', 'called', 'answered', 'laughed', 'cried', 'whispered', 'replied', 'shouted', 'smiled');
}

/** Some day. */
export function oneDay(t: Teller): Word {
  return t.any('One day', 'Last week', 'Today', 'After lunch', 'That morning', ...DAYS.map((day) => `On ${day}`));
}

/** On the way: walking, running, riding. */
export function went(t: Teller): Word {
  return t.any('went', 'walked', 'ran', 'hurried', 'rode', 'came', 'hiked');
}

/** What the friend is to the hero: the word before the name, at the first mention. */
export function relation(t: Teller): Word {
  return t.any(...RELATIONS);
}

/** How a place looks: the word before it, at the first mention. */
export function placeLook(t: Teller): Word {
  return t.any(...PLACE_LOOKS);
}

/** The tone of a voice, after a verb of saying. */
export function tone(t: Teller): Word {
  return t.any(
    '',
    ' softly',
    ' with a smile',
    ' at once',
    ' politely',
    ' happily',
    ' slowly',
    ' gently',
    ' quickly',
    ' proudly',
  );
}

/** How happy someone is. */
export function glad(t: Teller): Word {
  return t.any(
    'happy',
    'very happy',
    'glad',
    'proud',
    'so happy',
    'full of joy',
    'in a good mood',
    'a little tired but happy',
  );
}

/** How sad someone is. */
export function sad(t: Teller): Word {
  return t.any('sad', 'very sad', 'upset', 'worried', 'close to tears');
}

/** The last sentences; most look back at something that was told before. */
export function close(t: Teller, s: Scene): void {
  const { hero, friend, trait, size, colour, toy, adult, pet, petKind } = s;
  t.maybe(0.4, () => meal(t, s));
  t.one(
    () => t.say`${hero.name} and ${friend.name} were ${glad(t)}.`,
    () => t.say`It was the ${t.any('best', 'nicest', 'happiest')} day of ${hero.his} life.`,
    () => t.say`${hero.name} was glad that ${hero.he} had such a good friend.`,
    () => t.say`"You are so ${trait}, ${hero.name}," said ${friend.name}${tone(t)}.`,
    () => t.say`That night, ${hero.name} dreamed of a ${size} ${colour} ${toy}.`,
    () =>
      t.say`At home, ${hero.his} ${petKind} ${pet} ${t.any('sat at the door', 'waited for dinner', 'was asleep', 'ran around in the yard')}.`,
    () =>
      t.say`In the evening, ${hero.he} ${t.any('told stories', 'read a book', 'drew a picture', 'sang a song', 'played')} ${t.any('at home', 'in the kitchen', 'next to the fire')} with ${adult.name}.`,
  );
}

function kindOf(name: string): string {
  return GIRLS.includes(name) || WOMEN.includes(name) ? 'girl' : 'boy';
}

/** @file Plots about a day: a gift, a race, rain, an errand, cooking. */

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
  sad,
  says,
  tone,
  went,
} from '../scene';
import type { Teller, Word } from '../teller';
import { DAYS, FOODS, MATERIALS, PLACES, PRIZES, TOYS, TREATS } from '../words';

const play = (place: Word): Word => {
  return () => PLACES[place()]?.play ?? '';
};
const played = (place: Word): Word => {
  return () => PLACES[place()]?.played ?? '';
};

/** A birthday, a wish, and the thing made for it. */
export function gift(t: Teller, s: Scene): void {
  const { hero, friend, adult, colour, toy } = s;
  const day = t.word(DAYS);
  const stuff = () => TOYS[toy()]?.material ?? '';
  const tool = () => MATERIALS[stuff()]?.tool ?? '';
  t.one(
    () => t.say`${hero.capitalHis} ${relation(t)} ${friend.name} had a birthday on ${day}.`,
    () => t.say`On ${day}, it was the birthday of ${hero.his} ${relation(t)} ${friend.name}.`,
  );
  t.one(
    () => t.say`${friend.capitalHis} favorite color was ${colour}, and ${friend.he} wished for a ${toy}.`,
    () => t.say`${friend.name} wished for a ${toy}, and ${friend.he} loved everything that was ${colour}.`,
  );
  t.maybe(
    0.5,
    () =>
      t.say`${hero.name} had no money, so ${hero.he} ${t.any('made a plan', 'had an idea', 'asked for help', 'thought hard')}.`,
  );
  t.one(
    () => t.say`"I will make a ${colour} ${toy}," ${hero.he} told ${adult.name}.`,
    () => t.say`"How can I make a ${toy}?" ${hero.he} asked ${adult.name}.`,
  );
  t.one(
    () => t.say`${adult.name} gave ${hero.him} some ${stuff} and ${tool}.`,
    () => t.say`"You need ${stuff} and ${tool}," ${says(t)} ${adult.name}.`,
  );
  t.say`${hero.capitalHe} worked ${t.any('all day', 'all night', 'for two days', 'very hard', 'with care')} and painted it ${colour}.`;
  t.say`When ${day} came, ${hero.name} gave the ${toy} to ${friend.name}.`;
  t.one(
    () => t.say`"A ${colour} ${toy}!" ${t.any('cried', 'said', 'laughed')} ${friend.name}. "Did you make it?"`,
    () =>
      t.say`"This is ${t.any('just what I wished for', 'the best gift of all', 'my favorite color')}!" ${says(t)} ${friend.name}${tone(t)}.`,
  );
  close(t, s);
}

/** A race with a prize; who wins is told once and remembered. */
export function race(t: Teller, s: Scene): void {
  const { hero, friend, adult, place } = s;
  const prize = t.word(PRIZES);
  const goal = t.word(['old tree', 'bridge', 'gate', 'well', 'fence', 'tower', 'barn', 'big rock', 'fountain', 'mill']);
  morning(t, s);
  t.say`and ${went(t)} to the ${placeLook(t)} ${place} with ${hero.his} ${relation(t)} ${friend.name}.`;
  t.maybe(0.8, () => lookAround(t, s));
  t.one(
    () => t.say`"Let us race to the ${goal}," ${says(t)} ${friend.name}${tone(t)}.`,
    () => t.say`"Who can run to the ${goal} first?" asked ${friend.name}${tone(t)}.`,
  );
  t.one(
    () => t.say`"The winner gets ${prize}," ${says(t)} ${adult.name}.`,
    () => t.say`${adult.name} had ${prize} for the winner.`,
  );
  t.say`"${t.any('One, two, three', 'Ready, set', 'Get ready', 'Here we go')}, go!" ${adult.he} ${t.any('called', 'shouted')}.`;
  t.maybe(
    0.6,
    () =>
      t.say`They ran ${t.any('as fast as the wind', 'very fast', 'side by side', 'past the houses', 'up the path', 'over the stones', 'like two horses')}.`,
  );
  const [first, second] = t.pick([true, false]) ? [hero, friend] : [friend, hero];
  t.one(
    () => t.say`${first.name} was faster and touched the ${goal} first.`,
    () => t.say`${first.name} got to the ${goal} before ${second.name}.`,
    () =>
      t.say`Near the ${goal}, ${second.name} ${t.any('slipped', 'got tired', 'had to stop')}, so ${first.name} won.`,
  );
  t.say`${adult.name} gave ${first.him} ${prize}.`;
  t.one(
    () => t.say`"Well done, ${first.name}!" said ${second.name}.`,
    () => t.say`${second.name} was ${sad(t)}, but ${first.name} shared ${prize} with ${second.him}.`,
    () => t.say`"Next time I will win," said ${second.name}, and ${first.name} laughed.`,
  );
  close(t, s);
}

/** Rain spoils a plan; the plan is kept on another day. */
export function rain(t: Teller, s: Scene): void {
  const { hero, friend, adult, place } = s;
  const indoors = t.word([
    'played cards',
    'built a tent',
    'baked cookies',
    'drew animals',
    'sang songs',
    'told stories',
    'made masks',
    'danced',
    'wrote letters',
    'built a castle',
  ]);
  t.one(
    () =>
      t.say`${hero.name} wanted to go to the ${placeLook(t)} ${place} with ${hero.his} ${relation(t)} ${friend.name}.`,
    () =>
      t.say`${hero.name} and ${hero.his} ${relation(t)} ${friend.name} had a plan. They wanted to go to the ${placeLook(t)} ${place}.`,
  );
  t.one(
    () => t.say`${hero.capitalHe} wanted to ${play(place)}.`,
    () => t.say`"There we can ${play(place)}," ${hero.he} said.`,
  );
  t.maybe(0.5, () => meal(t, s));
  t.say`But it ${t.any('began to rain', 'rained all day', 'was a rainy day', 'rained and rained')}.`;
  t.one(
    () => t.say`${hero.name} was ${sad(t)} because they could not ${play(place)}.`,
    () => t.say`"Now we cannot go to the ${place}," ${says(t)} ${friend.name}${tone(t)}.`,
  );
  t.one(
    () =>
      t.say`"You can go ${t.any('tomorrow', 'when the sun is back', 'another day')}," ${says(t)} ${adult.name}. "I promise."`,
    () => t.say`"We will go to the ${place} tomorrow," ${adult.name} promised.`,
  );
  t.say`So they stayed inside and ${indoors}.`;
  t.maybe(0.3, () => t.say`${adult.name} made ${t.any('hot milk', 'tea', 'soup', 'a cake', 'a fire')}.`);
  t.say`The next day, the ${t.any('sun was out', 'rain was over', 'sky was blue')}.`;
  t.say`${adult.name} took them to the ${place}, and they ${played(place)}.`;
  t.one(
    () => t.say`"You kept your promise, ${adult.name}," ${says(t)} ${hero.name}${tone(t)}.`,
    () => t.say`"It was fun when we ${indoors}, but this is even better," ${says(t)} ${friend.name}${tone(t)}.`,
    () => t.say`They ${t.any('laughed', 'stayed there', 'played')} until it was time to go home.`,
  );
  close(t, s);
}

/** Two things to bring home, and both must be remembered. */
export function errand(t: Teller, s: Scene): void {
  const { hero, friend, adult } = s;
  const first = t.word(FOODS);
  const second = t.word(FOODS, [first]);
  const treat = t.word(TREATS);
  t.one(
    () => t.say`${oneDay(t)}, ${adult.name} wanted to make ${treat}.`,
    () => t.say`${adult.name} was going to make ${treat} for dinner.`,
  );
  t.one(
    () => t.say`"Please bring me ${first} and ${second} from the market," ${adult.he} said.`,
    () => t.say`"I need ${first} and ${second}," ${adult.he} told ${hero.name}.`,
  );
  t.one(
    () => t.say`On the way, ${hero.he} ${t.any('met', 'saw')} ${hero.his} ${relation(t)} ${friend.name}.`,
    () => t.say`${hero.capitalHis} ${relation(t)} ${friend.name} came along to help.`,
  );
  t.maybe(
    0.3,
    () =>
      t.say`"What do you need?" asked ${friend.name}. "I need ${first} and ${second}," ${says(t)} ${hero.name}${tone(t)}.`,
  );
  t.maybe(0.5, () => lookAround(t, s));
  t.one(
    () => t.say`At the market, they found the ${first} ${t.any('at once', 'next to the door', 'in a box')}.`,
    () => t.say`At the market, ${friend.name} ${t.any('picked', 'carried', 'asked for')} the ${first}.`,
  );
  t.one(
    () => t.say`But ${hero.name} ${t.any('almost forgot', 'could not find', 'had to look for')} the ${second}.`,
    () => t.say`Then ${hero.name} ${t.any('saw', 'paid for', 'got')} the ${second}.`,
  );
  t.one(
    () =>
      t.say`At home, ${adult.name} asked, "Did you get ${first} and ${second}?" "Yes, here they are," ${says(t)} ${hero.name}${tone(t)}.`,
    () => t.say`"Here are your ${first} and ${second}," ${hero.name} told ${adult.name}.`,
  );
  t.say`${adult.name} was ${glad(t)} and made the ${treat}.`;
  t.maybe(
    0.6,
    () => t.say`They all ate the ${treat}, and it was ${t.any('warm', 'sweet', 'good', 'very tasty', 'just right')}.`,
  );
  close(t, s);
}

/** @file Plots about a thing: lost and found, broken and mended, traded, lent and given back. */

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
import { COLOURS, DAYS, keys, LOOKS, MATERIALS, TOYS } from '../words';

const use = (toy: Word): Word => {
  return () => TOYS[toy()]?.use ?? '';
};
const used = (toy: Word): Word => {
  return () => TOYS[toy()]?.used ?? '';
};
const material = (toy: Word): Word => {
  return () => TOYS[toy()]?.material ?? '';
};
const tool = (toy: Word): Word => {
  return () => MATERIALS[material(toy)()]?.tool ?? '';
};
const broke = (toy: Word): Word => {
  return () => MATERIALS[material(toy)()]?.broke ?? '';
};

/** Whose toy it is, where it came from and what it is for. */
function own(t: Teller, s: Scene): void {
  const { hero, adult, colour, toy } = s;
  const look = t.any(...LOOKS);
  t.one(
    () => t.say`${hero.name} had a ${look} ${colour} ${toy} from ${adult.name}.`,
    () => t.say`${hero.capitalHis} favorite toy was a ${look} ${colour} ${toy} that ${adult.name} had made.`,
    () => t.say`${adult.name} had given ${hero.him} a ${look} ${colour} ${toy}.`,
  );
  t.one(
    () =>
      t.say`${hero.name} loved to ${use(toy)} it ${t.any('in the garden', 'at night', 'after school', 'with friends', 'every day')}.`,
    () => t.maybe(0.5, () => meal(t, s)),
  );
}

/** A toy is lost, searched in the wrong spot, and found in the right one. */
export function lostAndFound(t: Teller, s: Scene): void {
  const { hero, friend, colour, toy, place, spot, wrongSpot } = s;
  own(t, s);
  morning(t, s);
  t.say`and ${went(t)} to the ${placeLook(t)} ${place}.`;
  t.maybe(0.7, () => lookAround(t, s));
  t.say`There ${hero.he} ${used(toy)} the ${toy} ${t.any('for a while', 'again and again', 'until noon', 'with a smile', 'with great joy', 'very carefully', 'all alone')}.`;
  t.one(
    () => t.say`But then the ${toy} was ${t.any('gone', 'lost', 'nowhere to be seen')}.`,
    () =>
      t.say`But when ${hero.he} ${t.any('took a rest', 'looked away', 'had a snack')}, the ${toy} ${t.any('got lost', 'rolled away', 'was gone')}.`,
  );
  t.maybe(0.5, () => t.say`${hero.name} was ${sad(t)}.`);
  t.one(
    () =>
      t.say`"Have you seen my ${colour} ${toy}?" ${hero.he} asked ${hero.his} ${relation(t)} ${friend.name}${tone(t)}.`,
    () =>
      t.say`"I ${t.any('lost', 'miss', 'cannot find')} my ${colour} ${toy}," ${hero.he} told ${hero.his} ${relation(t)} ${friend.name}.`,
  );
  t.one(
    () => t.say`"No, but I will help you," ${says(t)} ${friend.name}${tone(t)}.`,
    () => t.say`"Let us look for it together," ${says(t)} ${friend.name}${tone(t)}.`,
  );
  t.say`They ${t.any('looked', 'searched')} ${wrongSpot}, but it was not there.`;
  t.one(
    () => t.say`Then they looked ${spot}, and there was the ${colour} ${toy}!`,
    () => t.say`Then ${friend.name} saw something ${colour} ${spot}. It was the ${toy}!`,
  );
  t.one(
    () => t.say`"Thank you, ${friend.name}!" ${says(t)} ${hero.name}${tone(t)}.`,
    () => t.say`"We found my ${toy} ${spot}!" ${hero.name} told ${s.adult.name} at home.`,
  );
  close(t, s);
}

/** A toy breaks; someone mends it with what its material needs. */
export function brokenAndMended(t: Teller, s: Scene): void {
  const { hero, friend, adult, colour, toy } = s;
  own(t, s);
  t.one(
    () => t.say`${oneDay(t)}, ${hero.name} ${t.any('fell', 'slipped', 'stepped')} on it.`,
    () =>
      t.say`But ${hero.his} ${relation(t)} ${friend.name} ${t.any('dropped it', 'sat on it', 'pulled too hard')} one day.`,
    () =>
      t.say`${oneDay(t)}, it fell ${t.any('down the stairs', 'off the table', 'off the shelf', 'out of the window')}.`,
  );
  t.say`Now the ${toy} ${broke(toy)}.`;
  t.one(
    () => t.say`${hero.name} was ${sad(t)} because ${hero.he} could not ${use(toy)} it anymore.`,
    () => t.say`${hero.name} could not ${use(toy)} it anymore, so ${hero.he} was ${sad(t)}.`,
  );
  t.one(
    () => t.say`"My ${colour} ${toy} is broken," ${hero.he} said${tone(t)}.`,
    () => t.say`"Can you mend my ${colour} ${toy}?" ${hero.he} asked.`,
  );
  t.one(
    () =>
      t.say`"Do not ${t.any('cry', 'worry')}," ${says(t)} ${adult.name}. "It is made of ${material(toy)}, so we need ${tool(toy)}."`,
    () =>
      t.say`${adult.name} ${t.any('smiled', 'looked at it', 'nodded')}. "This is ${material(toy)}. I have ${tool(toy)}."`,
  );
  t.say`${friend.name} ${t.any('ran', 'went', 'hurried')} to ${t.any('get', 'find', 'bring')} ${tool(toy)}.`;
  t.say`${t.any('Soon', 'After an hour', 'Before dinner', 'In no time')} the ${toy} was as good as new.`;
  t.say`${hero.name} ${used(toy)} the ${toy} and was ${glad(t)}.`;
  t.maybe(0.3, () => t.say`"Thank you for mending my ${toy}, ${adult.name}," ${hero.he} said.`);
  close(t, s);
}

/** Two children swap their toys. */
export function trade(t: Teller, s: Scene): void {
  const { hero, friend, colour, toy, place } = s;
  const otherColour = t.word(COLOURS, [colour]);
  const otherToy = t.word(keys(TOYS), [toy]);
  own(t, s);
  morning(t, s);
  t.say`and ${t.any('carried', 'took', 'brought')} the ${toy} to the ${placeLook(t)} ${place}.`;
  t.one(
    () =>
      t.say`There ${hero.he} ${t.any('met', 'saw', 'found')} ${hero.his} ${relation(t)} ${friend.name}, who had a ${t.any(...LOOKS)} ${otherColour} ${otherToy}.`,
    () =>
      t.say`${hero.capitalHis} ${relation(t)} ${friend.name} was there too, with a ${t.any(...LOOKS)} ${otherColour} ${otherToy}.`,
  );
  t.maybe(
    0.4,
    () =>
      t.say`${hero.name} ${t.any('liked', 'loved', 'wanted')} the ${otherToy}${t.any('', ' very much', ' at once')}.`,
  );
  t.one(
    () =>
      t.say`"Do you want to trade?" ${t.any('asked', 'said')} ${hero.name}. "My ${colour} ${toy} for your ${otherColour} ${otherToy}?"`,
    () => t.say`"I will give you my ${toy} if you give me your ${otherToy}," ${says(t)} ${hero.name}${tone(t)}.`,
  );
  t.one(
    () => t.say`"Yes, I always wanted to ${use(toy)} a ${toy}," ${says(t)} ${friend.name}${tone(t)}.`,
    () => t.say`"${t.any('Yes', 'Sure', 'Good idea', 'All right')}!" ${says(t)} ${friend.name}${tone(t)}.`,
  );
  t.say`So ${hero.name} took the ${otherToy} and ${friend.name} took the ${toy}.`;
  t.one(
    () =>
      t.say`${hero.name} ${used(otherToy)} the ${otherColour} ${otherToy} ${t.any('all day', 'until dark', 'all the way home', 'for hours', 'at once')}.`,
    () => t.say`${friend.name} ${used(toy)} the ${colour} ${toy}${t.any('', ' with a smile', ' with great care')}.`,
  );
  close(t, s);
}

/** A toy is lent with a promise about the day it comes back, and the promise is kept. */
export function lend(t: Teller, s: Scene): void {
  const { hero, friend, colour, toy, place } = s;
  const day = t.word(DAYS);
  own(t, s);
  t.one(
    () =>
      t.say`${oneDay(t)}, ${hero.his} ${relation(t)} ${friend.name} came to ${t.any('visit', 'play', 'say hello')}.`,
    () =>
      t.say`${oneDay(t)}, ${hero.he} met ${hero.his} ${relation(t)} ${friend.name} at the ${placeLook(t)} ${place}.`,
  );
  t.one(
    () => t.say`"May I ${use(toy)} your ${colour} ${toy}?" asked ${friend.name}.`,
    () =>
      t.say`"Can I take your ${toy} home?" ${friend.name} asked. "I ${t.any('want', 'would love', 'need')} to ${use(toy)} it."`,
  );
  t.maybe(
    0.4,
    () => t.say`${hero.name} ${t.any('thought about it', 'was not sure', 'held it tight', 'looked at the floor')}.`,
  );
  t.one(
    () => t.say`"I will bring it back on ${day}," ${friend.name} promised.`,
    () => t.say`"You will have it back on ${day}," ${says(t)} ${friend.name}. "I promise."`,
  );
  t.say`So ${hero.name} gave ${friend.him} the ${toy}.`;
  t.maybe(
    0.5,
    () => t.say`${hero.capitalHe} waited and ${t.any('waited', 'counted the days', 'hoped', 'drew a picture of it')}.`,
  );
  t.one(
    () =>
      t.say`On ${day}, ${friend.name} ${t.any('came back', 'knocked at the door', 'rang the bell')} with the ${colour} ${toy}.`,
    () => t.say`When ${day} came, ${friend.name} brought back the ${colour} ${toy}.`,
  );
  t.one(
    () => t.say`"Thank you, ${hero.name}," ${says(t)} ${friend.name}. "I ${used(toy)} it every day."`,
    () => t.say`"You kept your promise, ${friend.name}!" ${says(t)} ${hero.name}${tone(t)}.`,
  );
  t.maybe(0.2, () => t.say`${hero.name} ${used(toy)} the ${toy} at once.`);
  close(t, s);
}

/** Someone hides a thing; only one child remembers where. */
export function hidden(t: Teller, s: Scene): void {
  const { hero, friend, adult, colour, toy, place, spot, wrongSpot } = s;
  t.one(
    () => t.say`${oneDay(t)}, ${adult.name} took ${hero.him} to the ${placeLook(t)} ${place}.`,
    () => t.say`${oneDay(t)}, ${hero.name} ${went(t)} to the ${placeLook(t)} ${place} with ${adult.name}.`,
  );
  t.maybe(0.8, () => lookAround(t, s));
  t.one(
    () => t.say`${hero.name} hid a ${t.any(...LOOKS)} ${colour} ${toy} ${spot}.`,
    () => t.say`${hero.capitalHe} had a ${t.any(...LOOKS)} ${colour} ${toy} and put it ${spot}.`,
  );
  t.say`Then ${hero.his} ${relation(t)} ${friend.name} ${t.any('came', 'arrived', 'ran up to them')}.`;
  t.one(
    () => t.say`"I hid something ${colour}. Can you find it?" asked ${hero.name}.`,
    () => t.say`"Can you find my ${toy}?" ${t.any('asked', 'said')} ${hero.name}.`,
  );
  t.say`${friend.name} looked ${wrongSpot}${t.any('', ' first', ' for a long time')}, but it was not there.`;
  t.one(
    () => t.say`"Where is it?" ${friend.he} ${t.any('asked', 'cried', 'wanted to know')}.`,
    () => t.say`"I give up," ${friend.he} ${t.any('said', 'laughed')}. "Where did you put it?"`,
  );
  t.one(
    () => t.say`"It is ${spot}," ${says(t)} ${hero.name}${tone(t)}.`,
    () => t.say`${hero.name} pointed. "Look ${spot}!"`,
  );
  t.say`And there it was, the ${colour} ${toy}!`;
  t.one(
    () => t.say`Then ${friend.name} ${used(toy)} it, and ${adult.name} ${t.any('laughed', 'smiled', 'clapped')}.`,
    () => t.say`They ${used(toy)} the ${toy} together until ${adult.name} called.`,
  );
  close(t, s);
}

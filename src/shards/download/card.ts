/** @file card.json: the demo's facts about itself. */
import * as v from 'valibot';
import type { StoredCard } from '../store/manifest';

const schema = v.object({
  title: v.pipe(v.string(), v.maxLength(200)),
  floorPerplexity: v.optional(v.pipe(v.number(), v.gtValue(0), v.finite())),
});

/** A card is decoration: one that we do not understand is ignored. */
export function parseCard(text: string): StoredCard | null {
  try {
    const { title, floorPerplexity } = v.parse(schema, JSON.parse(text));
    return { title, ...(floorPerplexity === undefined ? {} : { floorPerplexity }) };
  } catch {
    return null;
  }
}

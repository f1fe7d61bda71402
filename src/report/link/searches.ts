/** @file What searches found, as places of a link. A search that ended lies in its scores already. */
import type { EvolutionChoice } from '../../importance/search/found';
import type { UnitJson } from '../../model/unit';
import { most } from '../fields';
import type { ModelRecord } from '../record';
import type { Scores } from '../scores';
import { type EvolutionResult, endedEvolution, endedSearch, type SearchResult } from '../searches';
import {
  type Codec,
  figure,
  flag,
  type Json,
  list,
  optional,
  orNull,
  type Reader,
  trimmed,
  tuple,
  type Writer,
  whole,
} from './codec';
import { barriers, costDigits, passes, searchUnit, steps, trace, units } from './scores';
import { calibration, label } from './texts';

const how = {
  ...{ complete: flag, plus: flag, calibration: orNull(calibration), milliseconds: figure(costDigits), device: label },
};

const search: Codec<SearchResult> = tuple<SearchResult>({ steps, ...how, barriers: optional(barriers) });

const stages = optional(list(whole, most.stages));
const asked: Codec<EvolutionResult['asked']> = tuple<Partial<EvolutionChoice> & Pick<EvolutionChoice, 'unit'>>({
  ...{ unit: searchUnit, count: optional(whole), generations: optional(whole), offspring: optional(whole) },
  ...{ survivors: stages, tokens: stages, seed: optional(whole) },
});

const evolved: Codec<EvolutionResult> = tuple<EvolutionResult>({
  ...{ removed: units as Codec<readonly UnitJson[]>, trace, asked, perplexity: orNull(figure(5)) },
  ...{ passes: orNull(passes), barriers, ...how },
});

/** 0 for none, from 1 on the place of the scores that tell it too, else the result itself. */
function alsoIn<T>(codec: Codec<T>, inScores: (scores: Scores) => T | null) {
  return {
    write(value: T | null | undefined, scores: readonly Scores[], to: Writer): Json {
      if (value === null || value === undefined) return 0;
      const json = codec.write(value, to);
      const key = JSON.stringify(json);
      const place = scores.findIndex((each) => {
        const told = inScores(each);
        return told !== null && JSON.stringify(codec.write(told, to)) === key;
      });
      return place < 0 ? json : place + 1;
    },
    read(json: Json, scores: readonly Scores[], from: Reader): T | null {
      if (json === 0) return null;
      if (typeof json !== 'number') return codec.read(json, from);
      const found = scores[from.whole(json) - 1];
      const told = found === undefined ? null : inScores(found);
      if (told === null) throw from.misfit('the place of scores by this search');
      from.spend(4 * found!.scores.length + 4 * (found!.evolution?.trace.length ?? 0));
      return told;
    },
  };
}

const greedyIds = ['sleb', 'block-pruner'] as const;
const greedy = (id: (typeof greedyIds)[number]) =>
  alsoIn(search, (scores) => (scores.criterion === id ? endedSearch(scores) : null));
const evolution = alsoIn(evolved, endedEvolution);

type Found = Pick<ModelRecord, 'searches' | 'evolution'>;

export function writeSearches(found: Found, scores: readonly Scores[], to: Writer): Json {
  return trimmed([
    evolution.write(found.evolution, scores, to),
    ...greedyIds.map((id) => greedy(id).write(found.searches[id], scores, to)),
  ]);
}

export function readSearches(json: Json, scores: readonly Scores[], from: Reader): Found {
  const [evolved = 0, ...others] = from.list(json, greedyIds.length + 1);
  const searches: Found['searches'] = {};
  greedyIds.forEach((id, at) => {
    const found = from.inside(id, () => greedy(id).read(others[at] ?? 0, scores, from));
    if (found !== null) searches[id] = found;
  });
  return { searches, evolution: from.inside('evolution', () => evolution.read(evolved, scores, from)) };
}

/** @file EvoPress: evolves the set of units without which the model predicts most like the base. */

import { BaseStates } from '../../engine/measure/baseStates';
import { LabError, throwIfAborted } from '../../errors';
import { show } from '../../model/configFields';
import type { LayerShape } from '../../model/shape';
import { type DepthUnit, removeFromLayers, type UnitJson, unitToJson } from '../../model/unit';
import { createRandom, mixSeed, shuffled } from '../../numerics/random';
import type { EvolutionMethod, EvolutionSetting } from '../method';
import { unitAt } from '../numbering';
import type { SearchUnit } from '../types';
import { checkBarriers, checkCount, checkWhole } from './bounds';
import { evolve, firstGeneration } from './evolution';
import {
  defaultCount,
  defaultFirstTokens,
  defaultGenerations,
  defaultOffspring,
  defaultSurvivors,
  mostUnits,
  noBarriers,
  unitPool,
} from './evolutionDefaults';
import type { Evolution, EvolutionChoice, EvolutionPoint, SearchProgress } from './found';

/** Bounds that only a typing error exceeds. */
const most = { generations: 10_000, offspring: 1024, stages: 8, seed: 2 ** 32 - 1 };
/** How many bytes of the base's final states the search keeps at most. */
const keptBytes = 2 ** 28;

function poolOf({ layers, protectedBlocks, barriers = noBarriers }: EvolutionSetting, unit: SearchUnit): number[] {
  checkBarriers(barriers, layers.length);
  return unitPool(layers, unit, barriers, protectedBlocks);
}

/** Completes a request with defaults. @throws LabError 'bad-argument' for a request that the model or the calibration cannot meet */
export function chooseEvolution(setting: EvolutionSetting): EvolutionChoice {
  const { record, layers, sequences, request } = setting;
  const { unit = 'block', offspring = defaultOffspring, seed = setting.seed } = request;
  if (!record.units.includes(unit)) {
    throw new LabError(
      'bad-argument',
      `unit: expected one of ${record.units.join(', ')}, got ${show(unit)}.`,
      'Check the spelling.',
    );
  }
  for (const name of ['tokens', 'survivors'] as const) {
    if (request[name] !== undefined && !Array.isArray(request[name])) {
      const message = `${name}: expected a list of numbers, one per stage, got ${show(request[name])}.`;
      throw new LabError('bad-argument', message, 'Give a list such as [256, 1280], or leave it out.');
    }
  }
  const pool = poolOf(setting, unit);
  const largest = mostUnits(layers, unit, pool.length);
  const count = request.count ?? defaultCount(pool.length, largest);
  checkCount(record.label, count, largest);
  const generations = request.generations ?? defaultGenerations(count, pool.length);
  checkWhole('generations', generations, 0, most.generations);
  checkWhole('offspring', offspring, 1, most.offspring);
  checkWhole('seed', seed, 0, most.seed);
  const total = usable(sequences).reduce((sum, { length }) => sum + length, 0);
  const staged = usable(sequences).length >= 4;
  const tokens = request.tokens ?? (staged ? [defaultFirstTokens(total), total] : [total]);
  const survivors = request.survivors ?? [...tokens.slice(1).map(() => defaultSurvivors(offspring)), 1];
  checkStages(tokens, survivors, total, firstGeneration * offspring);
  return { unit, count, generations, offspring, survivors: [...survivors], tokens: [...tokens], seed };
}

/** Each stage uses at least as many tokens and keeps at most as many sets as the one before; the last keeps one. */
function checkStages(tokens: readonly number[], survivors: readonly number[], total: number, sets: number): void {
  checkWhole('the number of stages (tokens)', tokens.length, 1, most.stages);
  checkWhole('the number of stages (survivors)', survivors.length, tokens.length, tokens.length);
  tokens.forEach((count, stage) => {
    checkWhole(`tokens[${stage}]`, count, tokens[stage - 1] ?? 1, total);
  });
  survivors.forEach((count, stage) => {
    const only = stage === survivors.length - 1 ? 1 : (survivors[stage - 1] ?? sets);
    checkWhole(`survivors[${stage}]`, count, 1, only);
  });
}

/** Sequences with a token to predict. */
function usable(sequences: EvolutionSetting['sequences']): (readonly number[])[] {
  return sequences.filter((sequence) => sequence.length > 1);
}

/** The first sequences of a seeded shuffle, until they hold so many tokens. */
function pick(sequences: EvolutionSetting['sequences'], tokens: number, seed: number): (readonly number[])[] {
  const picked: (readonly number[])[] = [];
  let left = tokens;
  for (const sequence of shuffled(createRandom(seed), usable(sequences))) {
    if (left <= 0) break;
    picked.push(sequence);
    left -= sequence.length;
  }
  return picked;
}

/** Runs the search to its end. Progress reports carry the best set so far. */
export async function searchByEvolution(setting: EvolutionSetting): Promise<Evolution> {
  const { probe, layers, sequences, signal, onProgress } = setting;
  const choice = chooseEvolution(setting);
  const { unit, count, generations, offspring, survivors, tokens, seed } = choice;
  const whole = new BaseStates(keptBytes);
  const trace: EvolutionPoint[] = [];
  const passes = { made: 0, separate: 0 };
  let removed: readonly UnitJson[] = [];
  const unitsIn = (set: readonly number[]): DepthUnit[] => set.map((index) => unitAt(unit, index));
  const without = (set: readonly number[]): LayerShape[] => removeFromLayers(layers, unitsIn(set));
  const report = (done: number): void => {
    const evolution = trace.length > 0 ? { evolution: { removed, trace: [...trace] } } : {};
    const total = generations + 1;
    const progress: SearchProgress = { stage: 'evolution', done, total, unit: 'generations', ...evolution };
    onProgress?.(progress);
  };
  report(0);
  const best = await evolve({
    pool: poolOf(setting, unit),
    count,
    generations,
    offspring,
    survivors,
    seed,
    async cost(sets, stage, generation) {
      throwIfAborted(signal, 'The search');
      // The last stage always uses the same tokens, so that the best sets of two generations can be compared.
      const final = stage === survivors.length - 1;
      const chosen = pick(sequences, tokens[stage]!, final ? seed : mixSeed(mixSeed(seed, generation), stage));
      const variants = sets.map(without);
      const found = await probe.divergence(variants, chosen, {
        base: whole,
        signal,
        onProgress: ({ done, total }) => report(generation + (stage + done / Math.max(1, total)) / survivors.length),
      });
      passes.made += found.passes.made;
      passes.separate += found.passes.separate;
      return found.kl;
    },
    onGeneration({ generation, set, cost, evaluations }) {
      removed = unitsIn(set).map(unitToJson);
      trace.push({ generation, kl: cost, evaluations });
      report(generation + 1);
    },
  });
  const { sumNll, tokens: predicted } = await probe.score(without(best.set), sequences, { signal });
  const perplexity = Math.exp(sumNll.reduce((a, b) => a + b, 0) / predicted);
  return { choice, removed, trace, perplexity, passes };
}

const evopress: EvolutionMethod = { search: searchByEvolution };

export default evopress;

/** @file EvoPress: the set of units without which the model predicts most like the whole one, by evolution. */

import { BaseStates } from '../../engine/measure/baseStates';
import { LabError, throwIfAborted } from '../../errors';
import { show } from '../../model/configFields';
import type { LayerShape } from '../../model/shape';
import { type DepthUnit, removeFromLayers, type UnitJson, unitToJson } from '../../model/unit';
import { createRandom, mixSeed, shuffled } from '../../numerics/random';
import type { TokenSequences } from '../../numerics/tokens';
import type { TaskOptions } from '../../task';
import type { Probe } from '../criterion';
import { unitAt } from '../numbering';
import type { Barriers, SearchUnit } from '../types';
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

export const evopress = {
  id: 'evopress',
  label: 'EvoPress',
  paper: 'Sieberling et al. 2024, EvoPress: Towards Optimal Dynamic Model Compression via Evolutionary Search',
  units: ['block', 'attention', 'mlp', 'half'],
  barriers: noBarriers,
} as const;

/** What a person may ask for; the rest follows from the model and the calibration. */
export type EvolutionRequest = { readonly [K in keyof EvolutionChoice]?: EvolutionChoice[K] | undefined };

export interface EvolutionSetting extends TaskOptions {
  readonly probe: Pick<Probe, 'divergence' | 'score'>;
  readonly layers: readonly LayerShape[];
  readonly sequences: TokenSequences;
  /** Blocks that must stay whole (the + rule). */
  readonly protectedBlocks: readonly number[];
  /** Blocks at either end of the whole model that stay. */
  readonly barriers?: Barriers | undefined;
  readonly request: EvolutionRequest;
  /** Seed where the request has none. */
  readonly seed: number;
}

/** Bounds: what is refused as a slip of the pen, not what is wise. */
const most = { generations: 10_000, offspring: 1024, stages: 8, seed: 2 ** 32 - 1 };
/** The whole model's final states that are kept at most, bytes. */
const keptBytes = 2 ** 28;

function poolOf({ layers, protectedBlocks, barriers = noBarriers }: EvolutionSetting, unit: SearchUnit): number[] {
  checkBarriers(barriers, layers.length);
  return unitPool(layers, unit, barriers, protectedBlocks);
}

/** The request with everything that it leaves open. @throws LabError 'bad-argument' for what cannot be met */
export function chooseEvolution(setting: EvolutionSetting): EvolutionChoice {
  const { layers, sequences, request } = setting;
  const { unit = 'block', offspring = defaultOffspring, seed = setting.seed } = request;
  if (!evopress.units.includes(unit)) {
    throw new LabError(
      'bad-argument',
      `unit: expected one of ${evopress.units.join(', ')}, got ${show(unit)}.`,
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
  checkCount(evopress.label, count, largest);
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

/** Stages take no fewer tokens and leave no more sets than the one before; the last leaves one. */
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

/** Windows that predict something. */
function usable(sequences: EvolutionSetting['sequences']): (readonly number[])[] {
  return sequences.filter((sequence) => sequence.length > 1);
}

/** The first windows of a seeded shuffle that hold so many tokens. */
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

/** Searches to the end; what was found until then travels with the progress. */
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
      // The last stage's tokens are always the same: only so does the best of one generation compare with the next.
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

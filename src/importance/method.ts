/**
 * @file What a pruning method is: a record of light metadata in `methods.ts`, and a computation that its `load` imports.
 * Types only, so that the page can import the records without the computations.
 */
import type { Engine, KeptChannels, Survey } from '../engine/engine';
import type { LayerShape, ModelShape } from '../model/shape';
import type { DepthKind } from '../model/unit';
import type { WeightSource } from '../model/weights';
import type { TokenSequences } from '../numerics/tokens';
import type { TaskOptions } from '../task';
import type { Evolution, EvolutionChoice } from './search/found';
import type { Barriers, HeadUnit, SearchUnit } from './types';

/** What a method reads. 'gpu': passes over the calibration sequences; 'weights': the weights alone. */
export type Needs = 'gpu' | 'weights' | 'nothing';

/** Options of `lab.importance` that only some methods have. Every method has `plus`. */
export type MethodOption =
  | 'window'
  | 'seed'
  | 'count'
  | 'barriers'
  | 'generations'
  | 'offspring'
  | 'survivors'
  | 'tokens';

interface Common {
  /** The name in `lab`, in URLs and in reports. */
  readonly id: string;
  readonly label: string;
  /** Where the method was published. */
  readonly paper: string;
  readonly needs: Needs;
  /** What a score means, for the page. */
  readonly meaning: string;
}

interface Module<T> {
  readonly default: T;
}

/** A method that scores every block, attention or MLP by itself. */
export interface ScoreRecord extends Common {
  readonly kind: 'score';
  readonly units: readonly DepthKind[];
  readonly options: readonly MethodOption[];
  /** `meaning` for attentions and MLPs, if it differs. */
  readonly subBlockMeaning?: string;
  /** The one forward and backward pass of `lab.survey` gives these scores too. */
  readonly combined?: true;
  /** Scores spread over orders of magnitude: charts draw them on a log scale. */
  readonly logScale?: true;
  /** It takes about one forward pass or less: the page measures it as soon as a model is open. */
  readonly quick?: true;
  load(): Promise<Module<ScoreMethod>>;
}

/** A method that removes the least important unit, measures the rest again, and repeats. */
export interface GreedyRecord extends Common {
  readonly kind: 'greedy';
  /** How its scores count units. */
  readonly units: readonly [SearchUnit];
  readonly options: readonly MethodOption[];
  /** Blocks at either end that it never removes, unless others are asked for. */
  readonly barriers: Barriers;
  load(): Promise<Module<GreedyMethod>>;
}

/** A method that evolves a set of units, to be removed as a whole. */
export interface EvolutionRecord extends Common {
  readonly kind: 'evolution';
  readonly units: readonly SearchUnit[];
  readonly options: readonly MethodOption[];
  readonly barriers: Barriers;
  load(): Promise<Module<EvolutionMethod>>;
}

/** A method that scores every attention head and every MLP neuron of the model. */
export interface WidthRecord extends Common {
  readonly kind: 'width';
  /** What a score of `heads` is for, and of `neurons`. */
  readonly units: readonly [HeadUnit, 'neuron'];
  readonly options: readonly MethodOption[];
  /** `lab.survey({ width: true })` gives these scores too. */
  readonly combined?: true;
  load(): Promise<Module<WidthMethod>>;
}

export type MethodRecord = ScoreRecord | GreedyRecord | EvolutionRecord | WidthRecord;

/** What a method may ask of the engine. */
export type Probe = Pick<
  Engine,
  | 'removalSweep'
  | 'blockStatistics'
  | 'subBlockInfluence'
  | 'magnitudes'
  | 'taylor'
  | 'combinedPass'
  | 'divergence'
  | 'score'
>;

/** What a score method measures on. */
export interface Setting extends TaskOptions {
  /** Null without a GPU; methods that need one are never called without. */
  readonly probe: Probe | null;
  readonly shape: ModelShape;
  readonly weights: WeightSource;
  readonly sequences: TokenSequences;
  readonly unit: DepthKind;
  /** Consecutive blocks per score. */
  readonly span: number;
  readonly seed: number;
}

export interface ScoreMethod {
  /** One score per unit, or per start of a span; low = remove first. */
  score(setting: Setting): Promise<number[]>;
  /** The base's score on the same tokens, if the method has such a number. */
  reference?(setting: Setting): Promise<number>;
  /** The scores from the results of the combined pass; methods with `combined` in their record have it. */
  fromCombinedPass?(found: Survey, setting: Pick<Setting, 'unit' | 'span'>): number[];
}

export interface GreedyMethod {
  /** The units of a remaining layer that the next step may remove. */
  kinds(layer: LayerShape): readonly DepthKind[];
  /** How many units it removes of a model of so many blocks, unless another count is asked for. */
  limit(layers: number): number;
}

/** Settings of an evolutionary search. The search chooses those that are absent. */
export type EvolutionRequest = { readonly [K in keyof EvolutionChoice]?: EvolutionChoice[K] | undefined };

/** What an evolutionary search runs on. */
export interface EvolutionSetting extends TaskOptions {
  readonly record: Pick<EvolutionRecord, 'label' | 'units'>;
  readonly probe: Pick<Probe, 'divergence' | 'score'>;
  readonly layers: readonly LayerShape[];
  readonly sequences: TokenSequences;
  /** Blocks that the + rule protects. */
  readonly protectedBlocks: readonly number[];
  /** Blocks at either end of the base that the search never removes. */
  readonly barriers?: Barriers | undefined;
  readonly request: EvolutionRequest;
  /** The seed, unless the request has one. */
  readonly seed: number;
}

export interface EvolutionMethod {
  search(setting: EvolutionSetting): Promise<Evolution>;
}

/** What a width method may ask of the engine. */
export type WidthProbe = Pick<Engine, 'columnSums' | 'widthStatistics' | 'widthInSequence' | 'taylor'>;

/** What a width method measures on. */
export interface WidthSetting extends TaskOptions {
  /** Null without a GPU; methods that need one are never called without. */
  readonly probe: WidthProbe | null;
  readonly shape: ModelShape;
  readonly weights: WeightSource;
  readonly sequences: TokenSequences;
  readonly seed: number;
  /** Of 'flap': its fluctuation by the recurrence of the official code. */
  readonly asPublished?: boolean | undefined;
  /** Of 'wanda-sp': what stays of a block by its scores; the next block is scored on the output of what stays. All of it without. */
  readonly keep?: ((index: number, scores: LayerScores) => KeptChannels) | undefined;
}

/** Of one layer. */
export interface LayerScores {
  readonly heads: readonly number[];
  readonly neurons: readonly number[];
}

/** By layer; low = remove first. The list of a missing sub-block is empty. */
export interface StructureScores {
  readonly heads: number[][];
  readonly neurons: number[][];
}

export interface WidthMethod {
  score(setting: WidthSetting): Promise<StructureScores>;
  /** The scores from a combined pass with `width`; methods with `combined` in their record have it. */
  fromCombinedPass?(found: Survey, layers: readonly LayerShape[]): StructureScores;
}

/** @file What plans, variants and comparisons of variants take and give. */

import type { DeviceLabel } from '../../benchmark/deviceLabel';
import type { LatencyTable } from '../../benchmark/latencyTable';
import type { Criterion, WidthId } from '../../importance/methods';
import type { Barriers, SearchUnit } from '../../importance/types';
import type { SizeUnit } from '../../pruning/budget/sizes';
import type { RepairMethod } from '../../pruning/repairMethods';
import type { HeadRemoval, WidthMultiple } from '../../pruning/widthRule';
import type { ComparisonRow } from '../../report/results';
import type { CalibrationInfo } from '../../report/texts';
import type { TaskOptions } from '../../task';
import type { CorpusRequest } from './corpusRequest';
import type { PerplexityRequest } from './measuring';
import type { VariantInfo } from './variantInfo';

export type PlanRequest =
  | { blocks: number[] }
  | { attention?: number[]; mlp?: number[] }
  | { criterion: Criterion; count: number; unit?: SearchUnit; plus?: boolean; window?: number; barriers?: Barriers }
  | { criterion: Criterion; ratio: number; unit?: SearchUnit; plus?: boolean; window?: number; barriers?: Barriers }
  | WidthPlanRequest
  | KeptPlanRequest;

/** Heads and neurons by a width method. */
export interface WidthPlanRequest {
  width: WidthId;
  /** Share of all the model's parameters to remove, met as closely as whole structures allow. */
  ratio: number;
  /** The official code's own numbers where ours differ on purpose; then the ratio is that of the official code too. */
  asPublished?: boolean;
  /** 'wanda-sp': the pruned output of a block is the input of the next one, as in the official code (default); false: dense inputs. */
  sequential?: boolean;
  /** Neurons that stay per layer are a multiple of this. */
  roundTo?: WidthMultiple;
  /** Grouped-query models lose whole key/value groups ('groups', default where a layer has several), or the same number of heads in each group. */
  heads?: HeadRemoval;
  /** Seed of 'random'; the calibration's without it. */
  seed?: number;
}

/** Everything by hand, in indices of the base. */
export interface KeptPlanRequest {
  blocks?: number[];
  attention?: number[];
  mlp?: number[];
  /** By block: query heads that stay, null for all. */
  keepHeads?: (number[] | null)[];
  /** By block: neurons that stay, null for all. */
  keepNeurons?: (number[] | null)[];
}

/** How a variant is repaired without training. 'linear-patch' is refused with the reason. */
export type RepairChoice = RepairMethod | 'linear-patch' | 'none';

export interface VariantOptions extends TaskOptions {
  name?: string;
  /** A safetensors file: only the tensors that differ from the base's. */
  patch?: Blob;
  /** On the calibration's sequences; by default what the plan says, which for FLAP's plans is 'flap-bias'. */
  repair?: RepairChoice;
  /** Id of the variant to go on from, with its weights (default: the base). The plan says all that is removed, of the base. */
  parent?: string;
}

/** What a variant must not exceed: exactly one of these. */
export interface Budget {
  /** Share of all the model's parameters to remove. */
  ratio?: number;
  /** Milliseconds per decoded token, measured with ONNX Runtime. */
  msPerToken?: number;
  /** Weights and key/value cache, bytes. */
  bytes?: number;
}

export interface CompareRequest extends TaskOptions {
  budget: Budget;
  /**
   * Criteria of `lab.importance`, for blocks, and width methods of `lab.widthImportance`. A '+' at the end protects the first
   * four and the last two blocks ('taylor+'); 'random' is the criterion, 'width:random' the width method.
   */
  methods: string[];
  /** Of a budget in bytes: tokens in the key/value cache of one sequence (default: the model's context, at most 2048). */
  contextTokens?: number;
  /** Width methods get one more variant for each of these, with neurons that are a multiple of it. */
  roundTo?: WidthMultiple[];
  runtime?: 'ort-webgpu' | 'ort-wasm';
  /** Default [1]. */
  batchSizes?: number[];
  promptTokens?: number;
  newTokens?: number;
  warmups?: number;
  /** Runs of each variant; each run is one round over all variants. */
  runs?: number;
  /** What the perplexity is measured on, and with which runtime; by default as by `lab.perplexity`. */
  evaluation?: Omit<PerplexityRequest, keyof TaskOptions | 'precision'>;
  /** For every variant that it fits: 'flap-bias' for heads and neurons, the others for blocks. By default what the plan says. */
  repair?: RepairChoice;
}

/** Why a method has no variant in a comparison. */
export interface Refusal {
  method: string;
  /** Of the variant that was to be rounded. */
  roundTo?: WidthMultiple;
  message: string;
  remedy: string;
}

/** A row of `lab.compare`. */
export interface ComparedRow extends ComparisonRow {
  /** As in the request; null for the base. */
  method: string | null;
  /** Neurons are a multiple of this, where the request asked for that. */
  roundTo?: WidthMultiple;
  /** The budget's quantity as this variant has it: share removed, milliseconds per decoded token, or bytes; null for a time that was not measured. */
  reached: number | null;
  /** Of the base's row: the methods that have no row, or no times. */
  refused?: Refusal[];
}

/** At least one budget; each is kept. */
export interface BestRequest extends TaskOptions {
  /** Milliseconds per decoded token, batch 1, measured with ONNX Runtime. */
  msPerToken?: number;
  /** The same as a share of what the base takes by the latency table, 0…1; instead of `msPerToken`. */
  msShare?: number;
  /** Key/value cache of `contextTokens` tokens in float32, bytes. A layer with a sliding window holds no more tokens than the window. */
  cacheBytes?: number;
  /** The same as a share of the base's, 0…1; instead of `cacheBytes`. */
  cacheShare?: number;
  /** Share of all the model's parameters to remove at least. */
  ratio?: number;
  /** What may be removed; all five by default. */
  units?: SizeUnit[];
  runtime?: 'ort-webgpu' | 'ort-wasm';
  /** Tokens in the cache (default: the model's context, at most 2048). */
  contextTokens?: number;
  /** Default: the calibration's. */
  seed?: number;
  /** Generations of the search after the first one; by default more for small models. */
  generations?: number;
  /** Variants that a generation tries; by default more for small models. */
  offspring?: number;
  /** Tokens per run of the latency table and of the benchmark, as in `lab.latency`; by default more for small models. */
  newTokens?: number;
  warmups?: number;
  runs?: number;
  /** What the perplexities of the result are measured on; as in `lab.perplexity`. The search measures on the calibration. */
  evaluation?: CorpusRequest & { samples?: number };
}

export interface BestNumbers {
  msPerToken: number;
  /** As predicted: with sliding windows. As measured: as the ONNX graph holds it, which keeps all tokens. */
  cacheBytes: number;
  /** On the evaluation text. */
  perplexity: number;
}

export interface BestResult {
  variant: VariantInfo;
  /**
   * Before the variant ran in ONNX Runtime: its time by the latency table, and the base's perplexity times what the variant loses
   * on the calibration text.
   */
  predicted: BestNumbers;
  /** By ONNX Runtime: times alternately with the base. */
  measured: BestNumbers;
  facts: BestFacts;
}

/** How a result of `lab.best` came about. */
export interface BestFacts {
  runtime: 'ort-webgpu' | 'ort-wasm';
  /** What the times were measured on. */
  device: DeviceLabel;
  /** What the search measured losses on. */
  engine: DeviceLabel;
  /** The budgets in numbers. */
  limits: { msPerToken?: number; cacheBytes?: number; parameters?: number };
  /** Whether the measured numbers keep them. */
  met: boolean;
  /** The base's own numbers, measured beside the variant's. */
  base: BestNumbers;
  contextTokens: number;
  /** Reused: measured earlier in this session. */
  table: LatencyTable & { reused: boolean };
  search: {
    /** Variants measured. */
    evaluations: number;
    generations: number;
    seed: number;
    /** On the calibration text: of the base, of the best greedy choice, of the result. */
    basePerplexity: number;
    greedyPerplexity: number;
    perplexity: number;
    milliseconds: number;
  };
  /** Of the text that the search measured on. */
  calibration: CalibrationInfo;
}

/** Remove, repair, score again. */
export interface IterateRequest extends TaskOptions {
  /** One that scores every block once; searches are refused. */
  criterion: Criterion;
  /** Blocks to remove in all, one after the other. */
  count: number;
  /** Default 'prune-and-comp'. */
  repair?: RepairChoice;
  plus?: boolean;
  name?: string;
}

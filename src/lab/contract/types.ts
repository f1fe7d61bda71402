/** @file The shapes of the `lab` contract: what the page, the console, the tests and the runner all speak. */

import type { DeviceLabel } from '../../benchmark/deviceLabel';
import type { LatencyTable } from '../../benchmark/latencyTable';
import type { PrecisionRequest } from '../../benchmark/precision';
import type { ModelTuning, Profile, ProfiledPass } from '../../engine/engine';
import type { ExportDtype, ExportFormatId } from '../../export/exported';
import type { Criterion, WidthId } from '../../importance/methods';
import type { Barriers, SearchUnit } from '../../importance/types';
import type { MemoryPlan } from '../../model/memory';
import type { ModelShape } from '../../model/shape';
import type { SizeUnit } from '../../pruning/budget/sizes';
import type { PruningPlan } from '../../pruning/plan';
import type { RepairMethod } from '../../pruning/repairMethods';
import type { HeadRemoval, WidthMultiple } from '../../pruning/widthRule';
import type { DeviceInfo, ModelInfo } from '../../report/facts';
import type { ModelRecord } from '../../report/record';
import type { ComparisonRow, LatencyResult, PerplexityResult, Runtime } from '../../report/results';
import type { ScoreOptions, Scores, WidthScoreOptions, WidthScores } from '../../report/scores';
import type { CalibrationInfo } from '../../report/texts';
import type { ChosenFile } from '../../shards/sources/chosenFiles';
import type { TaskOptions } from '../../task';
import type { StoredCorpus } from '../../text/corpusStore';
import type { CorpusRequest } from './corpusRequest';
import type { Instruction, RetrainRequest, RetrainResult, TrainingInfo, TrainingMemory } from './retraining';
import type { ReproducedValue, ReproduceOptions, ShareOptions } from './sharing';
import type { VariantInfo } from './variantInfo';

export type { CorpusRequest, VariantInfo };

/**
 * 'demo', a folder URL that holds config.json, 'owner/name[@revision]' on the Hugging Face Hub, or the files of such a
 * folder, with their paths where the files themselves do not tell them.
 */
export type Source = string | File[] | ChosenFile[];

export interface LoadOptions extends TaskOptions {
  /** Branch, tag or commit on the Hub. */
  revision?: string;
  /** Opens gated models on the Hub. Kept in memory until the page is closed, and nowhere else. */
  token?: string;
  /** Address of another Hub: for tests and mirrors. */
  hub?: string;
  /** Opens what is stored of the source, without any request; rejects with 'not-found' where nothing is. */
  stored?: boolean;
  /**
   * For a folder's address if the server reports that its files differ from the stored copy: 'fetch' (default) loads
   * the new version, and the copy stays until that is complete; 'stored' opens the copy; 'ask' rejects with 'changed'.
   */
  changed?: 'fetch' | 'stored' | 'ask' | undefined;
}

/** What a model is and costs, before its weights are fetched. */
export interface ModelPreview {
  id: string;
  /** What loads this very revision. */
  source: string;
  revision: string;
  architecture: string;
  shape: ModelShape;
  parameters: number;
  /** All files; null where the server does not tell all sizes. */
  bytes: number | null;
  weightBytes: number | null;
  /** What it needs of a GPU, part by part; null where the server does not tell the weights' size. */
  memory: MemoryPlan | null;
  /** What an unfinished download has stored of it. */
  storedBytes: number;
  /** This revision is stored whole. */
  stored: boolean;
  /** What the browser would still store; null where it does not tell. */
  freeBytes: number | null;
  licence: string | null;
  gated: boolean;
}

/** A download that stopped on its way; loading its source takes it up again. */
export interface UnfinishedDownload {
  id: string;
  source: string;
  revision: string;
  bytes: number;
  expectedBytes: number | null;
  /** Last time that bytes came, ms since 1970. */
  touched: number;
  /** A tab is downloading it now. */
  active: boolean;
}

/** What the browser says about this page's storage; null where it does not tell. */
export interface StorageInfo {
  usage: number | null;
  quota: number | null;
  /** The browser has promised not to clear it by itself. */
  persisted: boolean | null;
}

/** A user's text: the text itself, or a .txt, .md, .jsonl or .parquet file (the first three also packed as .gz). */
export type TextSource = string | File;

export interface AddTextOptions extends TaskOptions {
  /** Field of a .jsonl's records or column of a .parquet; by default 'text', else the first of strings. */
  field?: string;
  /** What people call it; by default the file's name. */
  title?: string;
}

/** A text that `corpus` of a request can name. */
export interface CorpusInfo {
  name: string;
  title: string;
  kind: 'built-in' | 'hub' | 'file' | 'text';
  /** What it is meant for; any serves for either, where its rows are long enough. */
  uses: ('calibration' | 'evaluation')[];
  /** Why one would take it. */
  why?: string;
  /** What is in IndexedDB of it; null for what ships with the page and for what was not fetched yet. */
  stored: Omit<StoredCorpus, 'name' | 'title' | 'kind'> | null;
}

export interface CalibrateRequest extends CorpusRequest {
  samples?: number;
  seed?: number;
}

export interface ImportanceOptions extends ScoreOptions, TaskOptions {}

export interface SurveyOptions extends TaskOptions {
  /** Consecutive blocks, for 'angular'. */
  window?: number;
  /** Protect the first four and the last two blocks. */
  plus?: boolean;
  /** The heads and neurons too, by 'wanda-sp', 'flap', 'llm-pruner' and 'magnitude-sp'. */
  width?: boolean;
}

/** Scores by criterion and, where they were asked for, those of heads and neurons. */
export type SurveyScores = Partial<Record<Criterion, Scores>> & {
  width?: Partial<Record<WidthId, WidthScores>>;
};

/** With `sequential` also the ratio that is removed, since each block is scored on what the pruned blocks before it give. */
export interface WidthOptions extends WidthScoreOptions, TaskOptions {}

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

export interface PerplexityRequest extends CorpusRequest, TaskOptions {
  stride?: number;
  runtime?: Runtime;
  /** Of ONNX Runtime; default 'exact'. 'f16' needs WebGPU with shader-f16, and agreement with exact arithmetic on this text. */
  precision?: PrecisionRequest;
  /** Use at most this many sequences. Default: 16 of the built-in corpus, all of another. */
  samples?: number;
}

export interface LatencyRequest extends TaskOptions {
  /** Default 12. */
  promptTokens?: number;
  /** Default 128. */
  newTokens?: number;
  /** Default [1]. */
  batchSizes?: number[];
  warmups?: number;
  runs?: number;
  runtime?: Runtime;
  /** Default 'exact'. 'f16' needs WebGPU with shader-f16, and agreement with exact arithmetic on the calibration text. */
  precision?: PrecisionRequest;
  /**
   * Id of a variant to time in turns with this one, run by run: then the results have a speed-up, and that variant's row
   * gets its own times too. Needs two runs; an even number has as many of either order.
   */
  against?: string;
}

export interface GenerateOptions extends TaskOptions {
  newTokens?: number;
  temperature?: number;
  topK?: number;
  topP?: number;
  seed?: number;
  /**
   * By default the WGSL engine, which has the weights on the GPU already; 'ort-wasm' without WebGPU, and where the GPU is emulated
   * for models that ONNX Runtime writes sooner and that fit into its heap. While it writes, a progress report's `text` is what there is so far.
   */
  runtime?: Runtime;
}

export interface GenerateResult {
  /** What the tokens add to the prompt, with the space that parts them. */
  text: string;
  tokenIds: number[];
  /** The runtime that generated it. */
  runtime: Runtime;
  device: DeviceLabel;
}

/** GPU memory of the engine, bytes. */
export interface MemoryInfo {
  /** What it may take for weights and kept states; null for as much as the GPU gives. */
  budgetBytes: number | null;
  liveBytes: number;
  /** Since the last analysis began. */
  peakBytes: number;
  /** Different blocks of the model and its open variants, and for how many of them the GPU has room at a time. */
  blocks: number;
  slots: number;
  /** Of all blocks. */
  blockBytes: number;
  /** Sent to the GPU again and again, since the blocks take turns. */
  streamedBytes: number;
}

export interface TuneRequest extends TaskOptions {
  /** Measure again what was measured before on this adapter. */
  force?: boolean;
  /** Time for all, ms (default 5000); what it does not reach keeps the static choice. */
  budgetMs?: number;
}

/** Which kernels the open model's products run in on this adapter. */
export interface TuningInfo extends ModelTuning {
  adapter: string;
  software: boolean;
  /** A measurement is under way in the background. */
  running: boolean;
  /** What was wrong with measurements that were stored and are not used; null if nothing. */
  note: string | null;
}

export interface ProfileRequest extends TaskOptions {
  /** A forward pass with its losses (default), or a Taylor pass. */
  pass?: ProfiledPass;
  /** Calibration sequences (default 4). */
  samples?: number;
}

export interface ProfileResult extends Profile {
  device: DeviceLabel;
}

export interface ExportChoice {
  /** Type of the exported weights, one of the format's; by default its first. */
  dtype?: ExportDtype;
  /** One uncompressed .zip that holds the folder, in place of its files; of `lab.export` only. */
  archive?: boolean;
}

/** What `lab.exportTo` has written. */
export interface ExportedFolder {
  /** Paths within the folder. */
  files: string[];
  bytes: number;
}

/** The laboratory's one surface (`window.lab`). Failures reject with a LabError { code, message, remedy }. */
export interface Lab {
  readonly ready: Promise<void>;
  /**
   * For a task that does not stop: ends the worker with everything that runs in it, and opens the model again from
   * IndexedDB with its calibration, scores and variants. Lost are the calls under way (they reject with 'worker'), and,
   * until they are made again, weights on the GPU, compiled shaders and ONNX Runtime sessions.
   */
  restart(): Promise<void>;
  device(): Promise<DeviceInfo | null>;
  load(source: Source, options?: LoadOptions): Promise<ModelInfo>;
  stored(): Promise<ModelInfo[]>;
  forget(id: string): Promise<void>;
  /** What `load` would fetch, without the weights. */
  preview(source: Source, options?: LoadOptions): Promise<ModelPreview>;
  unfinished(): Promise<UnfinishedDownload[]>;
  /** Removes an unfinished download, by its source. */
  forgetUnfinished(source: string): Promise<void>;
  storage(): Promise<StorageInfo>;
  /** What the engine has on the GPU; null without one. */
  memory(options?: TaskOptions): Promise<MemoryInfo | null>;
  /** Bounds it, so that blocks stream where they do not fit; kept for later visits. Null for as much as the GPU gives. */
  limitMemory(bytes: number | null, options?: TaskOptions): Promise<MemoryInfo | null>;
  /** Asks the browser not to clear by itself what is stored: `persisted` says whether it agreed. */
  keepStored(): Promise<StorageInfo>;
  tokenize(text: string, options?: { specialTokens?: boolean } & TaskOptions): Promise<number[]>;
  detokenize(ids: number[], options?: TaskOptions): Promise<string>;
  /** The texts that `corpus` can name: built in, on the Hub, added. */
  texts(): Promise<CorpusInfo[]>;
  /** Reads and stores a text; its `name` then serves as `corpus`. */
  addText(source: TextSource, options?: AddTextOptions): Promise<CorpusInfo>;
  /** Instructions to train on: of pasted JSON or JSON Lines, or of a .json, .jsonl or .parquet file. They are not stored. */
  readInstructions(source: TextSource, options?: TaskOptions): Promise<Instruction[]>;
  /** Brings a text of the Hub into this browser before its first use. */
  fetchText(name: string, options?: TaskOptions & { hub?: string }): Promise<CorpusInfo>;
  /** Removes a stored text. */
  forgetText(name: string): Promise<void>;
  calibrate(request?: CalibrateRequest & TaskOptions): Promise<CalibrationInfo>;
  importance(criterion: Criterion, options?: ImportanceOptions): Promise<Scores>;
  /** Blocks by 'taylor', 'block-influence', 'angular' and 'magnitude', in one forward and one backward pass for all. */
  survey(options?: SurveyOptions): Promise<SurveyScores>;
  /** Every head and neuron by itself; low = remove first. */
  widthImportance(method: WidthId, options?: WidthOptions): Promise<WidthScores>;
  plan(request: PlanRequest, options?: TaskOptions): Promise<PruningPlan>;
  /**
   * A variant without what the plan removes. With `patch`, a safetensors file of tensors by their Hugging Face names in the
   * checkpoint, these replace the base's, and biases that the base lacks are added: always a new variant, whose file is kept in
   * IndexedDB until it is discarded or the model is forgotten. Without: the variant that has this plan and name already, if there is one.
   * With `repair`, the model before the cut is measured on the calibration's sequences, and biases, factors or a matrix make up for what
   * the plan removes beyond the parent. With `parent`, its own tensors go along: cut and scaled like the others. Rejects with 'bad-plan'
   * for a plan that keeps what the parent lacks, with 'not-available' and the reason for a repair that does not fit.
   */
  variant(plan: PruningPlan, options?: VariantOptions): Promise<VariantInfo>;
  /**
   * Removes blocks one by one: scores the present model, removes its least important block, repairs the rest, and so on. Only the last
   * model becomes a variant; its recipe tells the steps.
   */
  iterate(request: IterateRequest): Promise<VariantInfo>;
  variants(): Promise<VariantInfo[]>;
  discard(variantId: string): Promise<void>;
  /** `target`: a variant's id, or a plan that is measured without being kept as a variant. */
  perplexity(target: string | PruningPlan, request?: PerplexityRequest): Promise<PerplexityResult>;
  /** With `against`: both in turns, and the speed-up with its confidence interval. */
  latency(variantId: string, request?: LatencyRequest): Promise<LatencyResult[]>;
  generate(target: string | PruningPlan, prompt: string, options?: GenerateOptions): Promise<GenerateResult>;
  evaluate(variantId: string, options: { task: string; limit?: number } & TaskOptions): Promise<never>;
  /** Trains a variant; the result is a variant of its own. Rejects with 'non-finite' where the loss leaves the numbers: then there is no new variant. */
  retrain(variantId: string, request: RetrainRequest): Promise<RetrainResult>;
  /** What a training would take of GPU memory. Rejects as `retrain` does for a request that cannot be met. */
  trainingMemory(variantId: string, request: RetrainRequest): Promise<TrainingMemory>;
  /** The trainings of the open model that run, wait, pause or can go on, in the order in which they take their turns. */
  trainings(): Promise<TrainingInfo[]>;
  /** Stores the state of a training and lets the GPU go, or keeps one that waits from its turn. Its `retrain` call stays open. */
  pauseTraining(id: string): Promise<void>;
  /** Goes on from the last step, or, after an interruption, from the last checkpoint. Resolves as `retrain` does. */
  resumeTraining(id: string, options?: TaskOptions): Promise<RetrainResult>;
  /** Ends a training early. With `keep` its weights as they are become the variant that its `retrain` call resolves to; else nothing is kept. */
  stopTraining(id: string, options?: { keep?: boolean }): Promise<void>;
  /** Measures which kernel each product of the open model is fastest in, and uses it from then on. */
  tune(request?: TuneRequest): Promise<TuningInfo>;
  /** What is used; null without a GPU. */
  tuning(): Promise<TuningInfo | null>;
  /** Time per kernel of a pass over the calibration sequences. */
  profile(request?: ProfileRequest): Promise<ProfileResult>;
  /** Depth and width variants that meet one budget, benchmarked with their runs by turns; the base's row comes first. */
  compare(request: CompareRequest): Promise<ComparedRow[]>;
  /** The variant with the lowest perplexity under a budget on this device: searched with a table of latencies, then measured. */
  best(request: BestRequest): Promise<BestResult>;
  comparison(): Promise<ComparisonRow[]>;
  /**
   * Brings back rows of an earlier session with the same model, or a record that `lab.report()` returned, also one that was
   * written as JSON. Their variants are made again, under their ids where these are free, with their numbers. A record's scores
   * and searches come back too, unless this session calibrates on other tokens.
   */
  restoreComparison(given: readonly ComparisonRow[] | ModelRecord): Promise<ComparisonRow[]>;
  /** All that was measured of the open model. `restoreComparison` takes it back. */
  report(): Promise<ModelRecord>;
  /** A link that any browser opens: the report of the open model, with the author's words. Rejects with 'bad-report' where it is too long for a link. */
  shareUrl(options?: ShareOptions): Promise<string>;
  /** Reads a report from a link or a file, without any request. Rejects with 'bad-report' that says what is wrong with it. */
  openReport(report: string | File): Promise<ModelRecord>;
  /** Loads the report's model, runs what the report did on this device, and compares. Ends what is open. */
  reproduce(report: ModelRecord, options?: ReproduceOptions): Promise<ReproducedValue[]>;
  /** A variant's files for other programs; `File.name` is the path within the folder. See `exportFormats` for the formats and their types. */
  export(variantId: string, format: ExportFormatId, options?: ExportChoice & TaskOptions): Promise<File[]>;
  /**
   * Writes the same files into a folder of the user's, one after the other and piece by piece. Files of the same names are replaced
   * when their successors are complete; cancelling or a full disk leaves no unfinished file. Rejects with 'quota' for a full disk.
   */
  exportTo(
    variantId: string,
    format: ExportFormatId,
    folder: FileSystemDirectoryHandle,
    options?: Omit<ExportChoice, 'archive'> & TaskOptions,
  ): Promise<ExportedFolder>;
}

/** @file The shapes of the `lab` contract: what the page, the console, the tests and the runner all speak. */

import type { DeviceLabel } from '../../benchmark/deviceLabel';
import type { ModelTuning, Profile, ProfiledPass } from '../../engine/engine';
import type { ExportDtype, ExportFormatId } from '../../export/exported';
import type { Criterion, WidthId } from '../../importance/methods';
import type { PruningPlan } from '../../pruning/plan';
import type { DeviceInfo, ModelInfo } from '../../report/facts';
import type { ModelRecord } from '../../report/record';
import type { ComparisonRow, LatencyResult, PerplexityResult } from '../../report/results';
import type { ScoreOptions, Scores, WidthScoreOptions, WidthScores } from '../../report/scores';
import type { CalibrationInfo } from '../../report/texts';
import type { TaskOptions } from '../../task';
import type { CorpusRequest } from './corpusRequest';
import type {
  AddTextOptions,
  CorpusInfo,
  LoadOptions,
  ModelPreview,
  Source,
  StorageInfo,
  TextSource,
  UnfinishedDownload,
} from './loading';
import type {
  BestRequest,
  BestResult,
  ComparedRow,
  CompareRequest,
  IterateRequest,
  PlanRequest,
  VariantOptions,
} from './making';
import type {
  EvaluateRequest,
  EvaluateResult,
  GenerateOptions,
  GenerateResult,
  LatencyRequest,
  PerplexityRequest,
} from './measuring';
import type {
  DatasetInstructions,
  Instruction,
  InstructionDataset,
  RetrainRequest,
  RetrainResult,
  TrainingInfo,
  TrainingMemory,
} from './retraining';
import type { ReproducedValue, ReproduceOptions, ShareOptions } from './sharing';
import type { VariantInfo } from './variantInfo';

export type * from './loading';
export type * from './making';
export type * from './measuring';
export type { CorpusRequest, VariantInfo };

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
  /** The first pairs of a data set on the Hub, with the commit that they come from. `hub`: address of another Hub. */
  readInstructions(source: InstructionDataset, options?: TaskOptions & { hub?: string }): Promise<DatasetInstructions>;
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
  /**
   * Asks a variant the questions of a multiple-choice task, and enters the result in its row of the comparison. The answer is the
   * likeliest continuation. Rejects with 'bad-source' for a file that holds no questions: it names the line, what was expected and what came.
   */
  evaluate(variantId: string, request: EvaluateRequest): Promise<EvaluateResult>;
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

/**
 * @file What the worker offers the page, call by call. Every method takes its task (signal, progress) first; the other
 * arguments are plain data, since they cross to another thread.
 */
import type { Criterion, WidthId } from '../../importance/methods';
import type { TokenSequences } from '../../numerics/tokens';
import type { PruningPlan } from '../../pruning/plan';
import type { DeviceInfo, ModelInfo } from '../../report/facts';
import type { ModelRecord } from '../../report/record';
import type { ComparisonRow, LatencyResult, PerplexityResult } from '../../report/results';
import type { Scores, WidthScores } from '../../report/scores';
import type { CalibrationInfo } from '../../report/texts';
import type { TaskOptions } from '../../task';
import type {
  DatasetInstructions,
  Instruction,
  InstructionDataset,
  RetrainRequest,
  RetrainResult,
  TrainingInfo,
  TrainingMemory,
} from './retraining';
import type { EngineSettings } from './settings';
import type {
  AddTextOptions,
  BestRequest,
  BestResult,
  CalibrateRequest,
  ComparedRow,
  CompareRequest,
  CorpusInfo,
  EvaluateRequest,
  EvaluateResult,
  ExportChoice,
  ExportedFolder,
  GenerateOptions,
  GenerateResult,
  ImportanceOptions,
  IterateRequest,
  LatencyRequest,
  LoadOptions,
  MemoryInfo,
  ModelPreview,
  PerplexityRequest,
  PlanRequest,
  ProfileRequest,
  ProfileResult,
  Source,
  SurveyOptions,
  SurveyScores,
  TextSource,
  TuneRequest,
  TuningInfo,
  UnfinishedDownload,
  VariantInfo,
  VariantOptions,
  WidthOptions,
} from './types';

/** Options without signal and progress, which travel beside them. */
export type Plain<T extends TaskOptions> = Omit<T, keyof TaskOptions>;

/** The sequences that criteria are measured on, and what they are. */
export interface Calibration {
  readonly sequences: TokenSequences;
  readonly info: CalibrationInfo;
}

/** The laboratory inside the worker; `Lab` in `types.ts` documents the calls. */
export interface WorkerSession {
  configure(task: TaskOptions, settings: EngineSettings): Promise<void>;
  open(task: TaskOptions): Promise<void>;
  device(task: TaskOptions): Promise<DeviceInfo | null>;
  memory(task: TaskOptions): Promise<MemoryInfo | null>;
  limitMemory(task: TaskOptions, bytes: number | null): Promise<MemoryInfo | null>;
  load(task: TaskOptions, source: Source, options: Plain<LoadOptions>): Promise<ModelInfo>;
  stored(task: TaskOptions): Promise<ModelInfo[]>;
  preview(task: TaskOptions, source: Source, options: Plain<LoadOptions>): Promise<ModelPreview>;
  unfinished(task: TaskOptions): Promise<UnfinishedDownload[]>;
  forgetUnfinished(task: TaskOptions, source: string): Promise<void>;
  forget(task: TaskOptions, id: string): Promise<void>;
  tokenize(task: TaskOptions, text: string, options: { specialTokens?: boolean }): Promise<number[]>;
  detokenize(task: TaskOptions, ids: number[]): Promise<string>;
  texts(task: TaskOptions): Promise<CorpusInfo[]>;
  addText(task: TaskOptions, source: TextSource, options: Plain<AddTextOptions>): Promise<CorpusInfo>;
  readInstructions(
    task: TaskOptions,
    source: TextSource | InstructionDataset,
    options: { hub?: string },
  ): Promise<Instruction[] | DatasetInstructions>;
  fetchText(task: TaskOptions, name: string, options: { hub?: string }): Promise<CorpusInfo>;
  forgetText(task: TaskOptions, name: string): Promise<void>;
  calibrate(task: TaskOptions, request: CalibrateRequest): Promise<CalibrationInfo>;
  importance(task: TaskOptions, criterion: Criterion, options: ImportanceOptions): Promise<Scores>;
  survey(task: TaskOptions, options: Plain<SurveyOptions>): Promise<SurveyScores>;
  widthImportance(task: TaskOptions, method: WidthId, options: Plain<WidthOptions>): Promise<WidthScores>;
  plan(task: TaskOptions, request: PlanRequest): Promise<PruningPlan>;
  variant(task: TaskOptions, plan: PruningPlan, options: Plain<VariantOptions>): Promise<VariantInfo>;
  iterate(task: TaskOptions, request: Plain<IterateRequest>): Promise<VariantInfo>;
  variants(task: TaskOptions): Promise<VariantInfo[]>;
  discard(task: TaskOptions, id: string): Promise<void>;
  perplexity(
    task: TaskOptions,
    target: string | PruningPlan,
    request: Plain<PerplexityRequest>,
  ): Promise<PerplexityResult>;
  latency(task: TaskOptions, id: string, request: Plain<LatencyRequest>): Promise<LatencyResult[]>;
  generate(
    task: TaskOptions,
    target: string | PruningPlan,
    prompt: string,
    options: Plain<GenerateOptions>,
  ): Promise<GenerateResult>;
  evaluate(task: TaskOptions, id: string, request: Plain<EvaluateRequest>): Promise<EvaluateResult>;
  export(task: TaskOptions, id: string, format: string, options: ExportChoice): Promise<File[]>;
  retrain(task: TaskOptions, id: string, request: Plain<RetrainRequest>): Promise<RetrainResult>;
  trainingMemory(task: TaskOptions, id: string, request: Plain<RetrainRequest>): Promise<TrainingMemory>;
  trainings(task: TaskOptions): Promise<TrainingInfo[]>;
  pauseTraining(task: TaskOptions, id: string): Promise<void>;
  resumeTraining(task: TaskOptions, id: string): Promise<RetrainResult>;
  stopTraining(task: TaskOptions, id: string, options: { keep?: boolean }): Promise<void>;
  exportTo(
    task: TaskOptions,
    id: string,
    format: string,
    folder: FileSystemDirectoryHandle,
    options: ExportChoice,
  ): Promise<ExportedFolder>;
  tune(task: TaskOptions, request: Plain<TuneRequest>): Promise<TuningInfo>;
  tuning(task: TaskOptions): Promise<TuningInfo | null>;
  profile(task: TaskOptions, request: Plain<ProfileRequest>): Promise<ProfileResult>;
  compare(task: TaskOptions, request: Plain<CompareRequest>): Promise<ComparedRow[]>;
  best(task: TaskOptions, request: Plain<BestRequest>): Promise<BestResult>;
  comparison(task: TaskOptions): Promise<ComparisonRow[]>;
  restoreComparison(task: TaskOptions, given: readonly ComparisonRow[] | ModelRecord): Promise<ComparisonRow[]>;
  /** The record with the calibration's token ids: from it, a new worker resumes the session. Weights are in IndexedDB. */
  snapshot(task: TaskOptions): Promise<ModelRecord | null>;
  restore(task: TaskOptions, snapshot: ModelRecord): Promise<void>;
  report(task: TaskOptions): Promise<ModelRecord>;
}

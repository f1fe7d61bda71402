/** @file What the page knows: ids, numbers and short arrays. Weights and buffers live in the worker's session. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { DeviceLabel } from '../../benchmark/deviceLabel';
import type { PrecisionRequest } from '../../benchmark/precision';
import type { ExportDtype, ExportFormatId } from '../../export/exported';
import type { Criterion, SearchId, WidthId } from '../../importance/methods';
import type { SearchProgress } from '../../importance/search/found';
import type { PruningPlan } from '../../pruning/plan';
import type { RepairMethod } from '../../pruning/repairMethods';
import type { DeviceInfo, ModelInfo } from '../../report/facts';
import type { ComparisonRow, PerplexityResult } from '../../report/results';
import type { Scores } from '../../report/scores';
import type { EvolutionResult, SearchResult } from '../../report/searches';
import type { CalibrationInfo } from '../../report/texts';
import type { Failure } from '../contract/failure';
import type { TrainingInfo } from '../contract/retraining';
import type { ReportWords } from '../contract/sharing';
import type {
  BestResult,
  CalibrateRequest,
  CorpusInfo,
  MemoryInfo,
  ModelPreview,
  PerplexityRequest,
  ProfileResult,
  Refusal,
  StorageInfo,
  TuningInfo,
  UnfinishedDownload,
  VariantInfo,
  WidthPlanRequest,
} from '../contract/types';
import type { CatalogueEntry } from './catalogue';
import type { ModelLink } from './links';
import type { EndedOpening } from './opening';
import type { Reproduction } from './reproduce/reproduction';
import type { Selection } from './selection';
import type { SubBlockScores } from './subBlocks';
import type { EndedTraining, MemoryAnswer } from './training';
import type { WidthScoresByMethod } from './widthScores';

export type { EndedOpening, ModelLink };

/** State of one task that the user can wait for. Each stage of the page shows its own task. */
export type TaskState =
  | { phase: 'idle' }
  | { phase: 'running'; progress: SearchProgress | null }
  | { phase: 'done' }
  | { phase: 'failed'; failure: Failure };

/** Tasks that the page starts; a measurement's key names its criterion, so that several can run. */
export type TaskKey =
  | 'load'
  | 'preview'
  | 'live'
  | 'benchmark'
  | 'questions'
  | 'compare'
  | 'best'
  | 'generate'
  | 'export'
  | 'share'
  | 'calibrate'
  | 'text:calibration'
  | 'text:evaluation'
  | 'text:add'
  | 'survey'
  | 'tune'
  | 'memory'
  | 'profile'
  | 'reproduce'
  | `importance:${Criterion}`
  | `subBlocks:${Criterion}`
  | `width:${WidthId}`
  | 'widthPlan'
  | 'repair'
  | 'retrain'
  | 'instructions'
  | 'experiment'
  | `training:${number}`
  | `search:${SearchId}`
  | 'evolution';

/** What ends with the worker: a task of the page, or a script's call. */
export type Loss = TaskKey | `lab.${string}`;

/** What happened to the laboratory's worker and needs the user's answer or attention. */
export type Interruption =
  | {
      phase: 'asking';
      /** The task that was cancelled and does not stop; null where the laboratory has been silent for long by itself. */
      task: TaskKey | null;
      /** False where something blocks the worker, and it is unknown whether it is this task. */
      sure: boolean;
      /** What else a new worker would lose. */
      loses: readonly Loss[];
    }
  | { phase: 'restarted'; reason: string };

/** Units that criteria and searches score: blocks, or attentions and MLPs. */
export type DepthMode = 'blocks' | 'subBlocks';

/** What one click on the strip removes: a block, its attention or MLP, or single heads and neurons. */
export type UnitMode = DepthMode | 'width';

/** How plans of heads and neurons are proposed. */
export interface WidthChoice extends Required<Pick<WidthPlanRequest, 'asPublished' | 'sequential'>> {
  roundTo: WidthPlanRequest['roundTo'] | null;
  /** Null: the default of the laboratory. */
  heads: WidthPlanRequest['heads'] | null;
  /** Make a variant with FLAP's biases of each proposed plan. */
  biases: boolean;
}

/** A repaired variant that the page made, and what its plan measured before. */
export interface Repaired {
  /** Id of the variant. */
  readonly variant: string;
  readonly method: RepairMethod;
  /** Perplexity of the same plan with the model's weights; null where it has none. */
  readonly before: PerplexityResult | null;
}

/** What a model wrote after the prompt. */
export interface WrittenText {
  text: string;
  /** The device that wrote it; null while it grows, and where it was stopped before its end. */
  by: DeviceLabel | null;
}

/** What the plan being edited measures right now. */
export interface LiveResult {
  /** What it was measured on: compare with the current selection before showing it as current. */
  selection: Selection;
  result: PerplexityResult;
}

/** What the page calibrates on. For an absent field the laboratory's default counts, such as the built-in corpus. */
export type CalibrationChoice = Pick<CalibrateRequest, 'corpus' | 'samples' | 'seqLen' | 'seed' | 'addBosToEvery'>;

/** What the export panel is set to. */
export interface ExportSettings {
  /** Id of the variant; null for the plan that the page shows. */
  readonly variant: string | null;
  readonly format: ExportFormatId;
  /** One of the format's types; null for its default. */
  readonly dtype: ExportDtype | null;
}

/** What was exported last. */
export interface ExportedNote {
  readonly name: string;
  readonly format: ExportFormatId;
  readonly files: readonly string[];
  readonly bytes: number;
  /** The folder's name; null for downloads. */
  readonly folder: string | null;
}

/** What the page's perplexities are measured on. */
export type EvaluationChoice = Pick<PerplexityRequest, 'corpus' | 'samples' | 'seqLen' | 'addBosToEvery'>;

export interface LabState {
  /** False until the worker runs and the device is known. */
  ready: boolean;
  device: DeviceInfo | null;
  model: ModelInfo | null;
  stored: ModelInfo[];
  /** Address of a model whose files there are no longer the stored ones: the user decides which to open. */
  changedSource: string | null;
  /** Downloads that stopped on their way. */
  unfinished: UnfinishedDownload[];
  storage: StorageInfo | null;
  /** The model that the user looks at before downloading it. */
  preview: ModelPreview | null;
  catalogue: CatalogueEntry[];
  /** What earlier visits were opening when they ended: the page asks before it opens one of these again. */
  endedOpenings: EndedOpening[];
  /** The model that the page's address names, where the page opens it only when the user says so. */
  link: ModelLink | null;
  /** A sentence for each part of the page's address that is ignored. */
  addressNotes: readonly string[];
  /** Texts that measurements can be made on. */
  corpora: CorpusInfo[];
  calibrationChoice: CalibrationChoice;
  evaluationChoice: EvaluationChoice;
  /** Why the catalogue of models could not be read. */
  catalogueFailure: Failure | null;
  calibration: CalibrationInfo | null;
  /** By criterion: what was measured so far. */
  scores: Partial<Record<Criterion, Scores>>;
  /** The same for attentions and MLPs. */
  subBlockScores: Partial<Record<Criterion, SubBlockScores>>;
  /** By width method: scores of heads and neurons. */
  widthScores: WidthScoresByMethod;
  searches: Partial<Record<SearchId, SearchResult>>;
  evolution: EvolutionResult | null;
  /** What the laboratory answered to searches that ended: plans of theirs need no second search, also after a reload. */
  searchScores: Partial<Record<Criterion, Scores>>;
  unitMode: UnitMode;
  /** The criterion that colours the model's strip and proposes plans, while whole blocks are removed. */
  criterion: Criterion;
  /** The same while sub-blocks are removed: not every criterion scores them. */
  subBlockCriterion: Criterion;
  /** The method that colours heads and neurons, orders them and proposes plans. */
  widthMethod: WidthId;
  widthChoice: WidthChoice;
  /** The variant that the page repaired last. */
  repaired: Repaired | null;
  /** Protect the first four and last two blocks in proposals. */
  plus: boolean;
  /** The plan being edited. */
  plan: PruningPlan | null;
  /** Id of the variant whose own weights belong to the plan; null where all weights are the model's. */
  ownWeights: string | null;
  /** What undo comes back to, the latest at the end. */
  past: Selection[];
  /** What redo comes back to, the next in front. */
  future: Selection[];
  /** Perplexity of the base on the page's held-out tokens. */
  base: PerplexityResult | null;
  /** Perplexity of the edited plan, as last measured. */
  live: LiveResult | null;
  /** Shape, parameters and ratio of the edited plan: known at once, without measuring. */
  draft: Pick<VariantInfo, 'parameters' | 'ratio' | 'shape'> | null;
  variants: VariantInfo[];
  comparison: ComparisonRow[];
  /** Methods that the last comparison of depth and width has no variant or no times of, and why. */
  refused: readonly Refusal[];
  /** The last result of the search for the best variant under a budget, of this model. */
  best: BestResult | null;
  /** Trainings that run, wait for their turn or can go on, as last read; the first one has its turn first. */
  trainings: readonly TrainingInfo[];
  /** Trainings that ended in this visit, the latest at the end. */
  trained: readonly EndedTraining[];
  /** What the training that the user sets up would take; null before the laboratory has answered. */
  trainingMemory: MemoryAnswer | null;
  exportSettings: ExportSettings;
  exported: ExportedNote | null;
  /** What a benchmark computes in. */
  precision: PrecisionRequest;
  /** Text that the base and the edited plan write for the same prompt. */
  texts: { prompt: string; base: WrittenText | null; variant: (WrittenText & { selection: Selection }) | null };
  /** The author's words of the report, until the page closes or another model opens. */
  words: ReportWords;
  /** Which kernels the model runs in; null until the user opens the panel. */
  tuning: TuningInfo | null;
  /** How much GPU memory the engine uses; null until the user opens the panel. */
  memory: MemoryInfo | null;
  /** Where the time of a pass goes, as last measured. */
  profiles: Partial<Record<ProfileResult['pass'], ProfileResult>>;
  /** A report that runs again, or did, with the model that is open; null otherwise. */
  reproduction: Reproduction | null;
  tasks: Partial<Record<TaskKey, TaskState>>;
  interruption: Interruption | null;
}

export const initialState: LabState = {
  ready: false,
  device: null,
  model: null,
  stored: [],
  changedSource: null,
  unfinished: [],
  storage: null,
  preview: null,
  catalogue: [],
  endedOpenings: [],
  link: null,
  addressNotes: [],
  corpora: [],
  calibrationChoice: {},
  evaluationChoice: {},
  catalogueFailure: null,
  calibration: null,
  scores: {},
  subBlockScores: {},
  widthScores: {},
  searches: {},
  evolution: null,
  searchScores: {},
  unitMode: 'blocks',
  criterion: 'ppl',
  subBlockCriterion: 'ppl',
  widthMethod: 'flap',
  widthChoice: { asPublished: false, sequential: true, roundTo: null, heads: null, biases: false },
  repaired: null,
  plus: false,
  plan: null,
  ownWeights: null,
  past: [],
  future: [],
  base: null,
  live: null,
  draft: null,
  variants: [],
  comparison: [],
  refused: [],
  best: null,
  trainings: [],
  trained: [],
  trainingMemory: null,
  exportSettings: { variant: null, format: 'huggingface', dtype: null },
  exported: null,
  precision: 'exact',
  texts: { prompt: '', base: null, variant: null },
  words: {},
  tuning: null,
  memory: null,
  profiles: {},
  reproduction: null,
  tasks: {},
  interruption: null,
};

export type LabStore = StoreApi<LabState>;

/** A store in which no model is open. */
export function createLabStore(): LabStore {
  return createStore<LabState>()(() => initialState);
}

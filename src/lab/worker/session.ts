/** @file The laboratory itself, inside the worker: the open model, its variants, the GPU and ONNX Runtime. */

import { abortedError, LabError, throwIfAborted, unlessAborted } from '../../errors';
import type { Criterion, WidthId } from '../../importance/methods';
import type { PruningPlan } from '../../pruning/plan';
import { Recent } from '../../recent';
import type { DeviceInfo, ModelInfo } from '../../report/facts';
import { type ModelRecord, program, recordVersion, restore, restoreRows } from '../../report/record';
import type { ComparisonRow, LatencyResult, PerplexityResult } from '../../report/results';
import type { Scores, WidthScores } from '../../report/scores';
import type { CalibrationInfo } from '../../report/texts';
import { datasetInstructions } from '../../retrain/datasetInstructions';
import { readInstructions } from '../../retrain/readInstructions';
import type { TaskOptions } from '../../task';
import { guardMethods } from '../contract/arguments';
import { checkBudget } from '../contract/memoryBudget';
import type {
  DatasetInstructions,
  Instruction,
  InstructionDataset,
  RetrainRequest,
  RetrainResult,
  TrainingInfo,
  TrainingMemory,
} from '../contract/retraining';
import type { EngineSettings } from '../contract/settings';
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
} from '../contract/types';
import type { Plain, WorkerSession } from '../contract/workerSession';
import { findBest } from './best';
import { compareVariants } from './comparing';
import { evaluateVariant } from './evaluating';
import { writeFolder } from './exportFolder';
import { exportedFiles, exportVariant } from './exporting';
import { Gpu } from './gpu';
import { iterate } from './iterating';
import { kernelsInUse, profileKernels, tuneKernels } from './kernelTasks';
import { makeVariant } from './making';
import { measuredUnits, restoreMeasuredUnits } from './measuredUnits';
import { measureLatencyOf, measurePerplexityOf } from './measuring';
import { memoryInUse } from './memory';
import { ModelLibrary } from './models';
import { Runtimes } from './runtimes';
import { Scoring } from './scoring';
import { SequenceMaker } from './sequences';
import { hubOrigin } from './sourceChoice';
import { TextLibrary } from './texts';
import { Trainings } from './training/queue';
import { trainingMemoryOf } from './trainingMemory';
import { Variants } from './variants';
import { calibrateOn, calibrationOf, mostScores, mostWidthNumbers, numbersIn, type Workspace } from './workspace';

/** One laboratory. Every method takes its task (signal, progress) first; arguments are looked at before (`arguments.ts`). */
export class Session implements WorkerSession {
  readonly #library = new ModelLibrary();
  readonly #texts = new TextLibrary();
  readonly #gpu = new Gpu();
  readonly #scoring = new Scoring(this.#gpu);
  readonly #quiesce: () => Promise<void>;
  #workspace: Workspace | null = null;
  #trainings: Trainings | null = null;
  /** Counts loads: the last one asked for wins. */
  #loads = 0;

  /**
   * @param quiesce cancels the calls that work on the open model and waits until they have ended
   * @param onSuperseded hears that a newer version of the page has taken the stored models over
   */
  constructor(quiesce: () => Promise<void>, onSuperseded?: () => void) {
    this.#quiesce = quiesce;
    this.#library = new ModelLibrary(onSuperseded);
  }

  /** What the page's address says about the engine; before anything else. */
  async configure(_task: TaskOptions, settings: EngineSettings): Promise<void> {
    this.#gpu.configure(settings);
  }

  async open(_task: TaskOptions): Promise<void> {
    await this.#gpu.device();
  }

  async device(_task: TaskOptions): Promise<DeviceInfo | null> {
    return this.#gpu.device();
  }

  async memory(task: TaskOptions): Promise<MemoryInfo | null> {
    this.#open();
    return memoryInUse(this.#gpu, task);
  }

  async limitMemory(task: TaskOptions, bytes: number | null): Promise<MemoryInfo | null> {
    checkBudget(bytes);
    const trainings = this.#trainings;
    try {
      await unlessAborted(
        Promise.all([trainings?.suspend(), this.#quiesce()]),
        task.signal,
        'Waiting for other tasks to end',
      );
      this.#gpu.limitMemory(bytes);
    } finally {
      trainings?.release(); // it goes on with the new limit
    }
    return this.#workspace === null ? null : memoryInUse(this.#gpu, task);
  }

  async load(task: TaskOptions, source: Source, options: Plain<LoadOptions>): Promise<ModelInfo> {
    const turn = ++this.#loads;
    const stillWanted = () => {
      throwIfAborted(task.signal, 'The load');
      if (turn !== this.#loads) throw abortedError('The load (a newer load replaced it)');
    };
    // A device that was just lost says nothing about what would fit; the tasks that need it say that it is lost.
    const device = () => this.#gpu.device().catch(() => null);
    const model = await this.#library.load(source, options, task, device);
    const runtimes = new Runtimes(model, this.#gpu);
    let variants: Variants;
    const trainings = this.#trainings;
    let suspended = false;
    try {
      variants = await Variants.open({ ...model.info, weights: model.weights }, model.patches, runtimes);
      stillWanted();
      suspended = true;
      await unlessAborted(Promise.all([trainings?.suspend(), this.#quiesce()]), task.signal, 'The load');
      stillWanted();
      // Their memory is needed. The old model stays open until the new one takes its place: the load may still be cancelled.
      if (this.#workspace) await unlessAborted(this.#workspace.runtimes.clear(), task.signal, 'The load');
      stillWanted();
    } catch (thrown) {
      if (suspended) trainings?.release();
      await model.close();
      throw thrown;
    }
    const before = this.#workspace;
    trainings?.close();
    this.#gpu.use(model);
    const workspace: Workspace = {
      model,
      runtimes,
      variants,
      sequences: new SequenceMaker(model, this.#texts),
      calibration: null,
      restoredCalibration: null,
      scores: new Recent(mostScores),
      widthScores: new Recent(mostWidthNumbers, numbersIn),
      searches: {},
      evolution: null,
    };
    this.#workspace = workspace;
    this.#trainings = new Trainings(workspace, this.#gpu);
    if (before) {
      const released = before.runtimes.dispose().finally(() => before.model.close());
      released.catch((thrown: unknown) => console.warn('An ONNX Runtime session could not be released.', thrown));
    }
    await this.#trainings.open();
    return model.info;
  }

  #open(): Workspace {
    if (this.#workspace) return this.#workspace;
    throw new LabError('not-loaded', 'No model is open.', "Load one first, e.g. lab.load('demo').");
  }

  async stored(_task: TaskOptions): Promise<ModelInfo[]> {
    return this.#library.stored();
  }

  async preview(task: TaskOptions, source: Source, options: Plain<LoadOptions>): Promise<ModelPreview> {
    return this.#library.preview(source, options, task);
  }

  async unfinished(_task: TaskOptions): Promise<UnfinishedDownload[]> {
    return this.#library.unfinished();
  }

  async forgetUnfinished(_task: TaskOptions, source: string): Promise<void> {
    await this.#library.forgetUnfinished(source);
  }

  async forget(_task: TaskOptions, id: string): Promise<void> {
    await this.#library.forget(id);
  }

  async tokenize(task: TaskOptions, text: string, options: { specialTokens?: boolean }): Promise<number[]> {
    return this.#open()
      .model.requireTokenizer()
      .encode(text, { ...task, specialTokens: options.specialTokens ?? false });
  }

  async detokenize(_task: TaskOptions, ids: number[]): Promise<string> {
    return this.#open().model.requireTokenizer().decode(ids);
  }

  async texts(_task: TaskOptions): Promise<CorpusInfo[]> {
    return this.#texts.list();
  }

  async addText(task: TaskOptions, source: TextSource, options: Plain<AddTextOptions>): Promise<CorpusInfo> {
    return this.#texts.add(source, options, task);
  }

  async readInstructions(
    task: TaskOptions,
    source: TextSource | InstructionDataset,
    { hub }: { hub?: string },
  ): Promise<Instruction[] | DatasetInstructions> {
    if (typeof source === 'string' || source instanceof Blob) return readInstructions(source, task);
    return datasetInstructions(source, { ...task, hub: hub === undefined ? hub : hubOrigin(hub) });
  }

  async fetchText(task: TaskOptions, name: string, { hub }: { hub?: string }): Promise<CorpusInfo> {
    return this.#texts.fetch(name, hub, task);
  }

  async forgetText(_task: TaskOptions, name: string): Promise<void> {
    await this.#texts.forget(name);
  }

  async calibrate(task: TaskOptions, request: CalibrateRequest): Promise<CalibrationInfo> {
    const workspace = this.#open();
    const calibration = await workspace.sequences.calibration(request, task);
    throwIfAborted(task.signal, 'The calibration');
    calibrateOn(workspace, calibration);
    return calibration.info;
  }

  async importance(task: TaskOptions, criterion: Criterion, options: ImportanceOptions): Promise<Scores> {
    return this.#scoring.importance(this.#open(), task, criterion, options);
  }

  async survey(task: TaskOptions, options: Plain<SurveyOptions>): Promise<SurveyScores> {
    return this.#scoring.survey(this.#open(), task, options);
  }

  async widthImportance(task: TaskOptions, method: WidthId, options: Plain<WidthOptions>): Promise<WidthScores> {
    return this.#scoring.widthImportance(this.#open(), task, method, options);
  }

  async plan(task: TaskOptions, request: PlanRequest): Promise<PruningPlan> {
    return this.#scoring.plan(this.#open(), task, request);
  }

  async variant(task: TaskOptions, plan: PruningPlan, options: Plain<VariantOptions>): Promise<VariantInfo> {
    return makeVariant(this.#open(), this.#gpu, task, plan, options);
  }

  async iterate(task: TaskOptions, request: Plain<IterateRequest>): Promise<VariantInfo> {
    return iterate(this.#open(), this.#gpu, this.#scoring, task, request);
  }

  async compare(task: TaskOptions, request: Plain<CompareRequest>): Promise<ComparedRow[]> {
    return this.#still(task, () => compareVariants(this.#open(), this.#gpu, this.#scoring, task, request));
  }

  async best(task: TaskOptions, request: Plain<BestRequest>): Promise<BestResult> {
    return this.#still(task, () => findBest(this.#open(), this.#gpu, this.#scoring, task, request));
  }

  async variants(_task: TaskOptions): Promise<VariantInfo[]> {
    return this.#open().variants.list();
  }

  async discard(_task: TaskOptions, id: string): Promise<void> {
    await this.#open().variants.discard(id);
  }

  async perplexity(
    task: TaskOptions,
    target: string | PruningPlan,
    request: Plain<PerplexityRequest>,
  ): Promise<PerplexityResult> {
    return measurePerplexityOf(this.#open(), this.#gpu, task, target, request);
  }

  async latency(task: TaskOptions, id: string, request: Plain<LatencyRequest>): Promise<LatencyResult[]> {
    return this.#still(task, () => measureLatencyOf(this.#open(), this.#gpu, task, id, request));
  }

  async generate(
    task: TaskOptions,
    target: string | PruningPlan,
    prompt: string,
    options: Plain<GenerateOptions>,
  ): Promise<GenerateResult> {
    const workspace = this.#open();
    const { view } = workspace.variants.resolve(target);
    return this.#gpu.tuning.undisturbed(() => workspace.runtimes.generate(view, prompt, options, task), task.signal);
  }

  async evaluate(task: TaskOptions, id: string, request: Plain<EvaluateRequest>): Promise<EvaluateResult> {
    return evaluateVariant(this.#open(), { gpu: this.#gpu, texts: this.#texts }, task, id, request);
  }

  /** The variant's files in a format that others read. */
  async export(task: TaskOptions, id: string, format: string, options: ExportChoice = {}): Promise<File[]> {
    return exportVariant(this.#open(), task, id, format, options);
  }

  async exportTo(
    task: TaskOptions,
    id: string,
    format: string,
    folder: FileSystemDirectoryHandle,
    { dtype }: ExportChoice = {},
  ): Promise<ExportedFolder> {
    return writeFolder(folder, await exportedFiles(this.#open(), task, id, format, dtype), task);
  }

  async retrain(task: TaskOptions, id: string, request: Plain<RetrainRequest>): Promise<RetrainResult> {
    return this.#queue().retrain(task, id, request);
  }

  /** Times are measured while no training makes a step. */
  #still<T>(task: TaskOptions, work: () => Promise<T>): Promise<T> {
    return this.#queue().undisturbed(work, task.signal);
  }

  #queue(): Trainings {
    this.#open();
    return this.#trainings!;
  }

  async trainingMemory(_task: TaskOptions, id: string, request: Plain<RetrainRequest>): Promise<TrainingMemory> {
    return trainingMemoryOf(this.#open(), this.#gpu, id, request);
  }

  async trainings(_task: TaskOptions): Promise<TrainingInfo[]> {
    return this.#queue().list();
  }

  async pauseTraining(_task: TaskOptions, id: string): Promise<void> {
    await this.#queue().pause(id);
  }

  async resumeTraining(task: TaskOptions, id: string): Promise<RetrainResult> {
    return this.#queue().resume(task, id);
  }

  async stopTraining(_task: TaskOptions, id: string, { keep = false }: { keep?: boolean }): Promise<void> {
    await this.#queue().stop(id, keep);
  }

  async tune(task: TaskOptions, request: Plain<TuneRequest>): Promise<TuningInfo> {
    return this.#still(task, () => tuneKernels(this.#gpu, request, task));
  }

  async tuning(task: TaskOptions): Promise<TuningInfo | null> {
    this.#open();
    return kernelsInUse(this.#gpu, task);
  }

  async profile(task: TaskOptions, request: Plain<ProfileRequest>): Promise<ProfileResult> {
    const { sequences } = await calibrationOf(this.#open(), task);
    return this.#still(task, () => profileKernels(this.#gpu, sequences, request, task));
  }

  async comparison(_task: TaskOptions): Promise<ComparisonRow[]> {
    return this.#open().variants.comparison();
  }

  async restoreComparison(_task: TaskOptions, given: readonly ComparisonRow[] | ModelRecord): Promise<ComparisonRow[]> {
    const workspace = this.#open();
    const { rows, record } = restoreRows(given, workspace.model.info);
    await workspace.variants.restore(rows);
    if (record !== null) restoreMeasuredUnits(workspace, record);
    return workspace.variants.comparison();
  }

  async snapshot(_task: TaskOptions): Promise<ModelRecord | null> {
    const workspace = this.#workspace;
    if (workspace === null) return null;
    const { calibration } = workspace;
    const record = await this.#record(workspace);
    return calibration === null ? record : { ...record, calibrationTokens: calibration.sequences };
  }

  /** Opens the model of a snapshot, and puts back what was measured, under the same variant ids. */
  async restore(task: TaskOptions, snapshot: ModelRecord): Promise<void> {
    const { record } = restore(snapshot);
    const { model, calibration, calibrationTokens, comparison } = record;
    const source = model.id.startsWith('files:') ? model.id : model.source;
    await this.load(task, source, { changed: 'stored' });
    const workspace = this.#open();
    // Another tab may have brought another version: numbers of other weights are not this model's.
    if (workspace.model.info.revision !== model.revision) return;
    if (calibration !== null && calibrationTokens !== undefined) {
      workspace.calibration = { sequences: calibrationTokens, info: calibration };
    }
    restoreMeasuredUnits(workspace, record);
    await workspace.variants.restore(comparison);
  }

  async report(_task: TaskOptions): Promise<ModelRecord> {
    return this.#record(this.#open());
  }

  async #record(workspace: Workspace): Promise<ModelRecord> {
    const { model, variants } = workspace;
    // Of a device that was just lost nothing can be told, and the numbers stay.
    const device = await this.#gpu.device().catch(() => null);
    return {
      version: recordVersion,
      created: new Date().toISOString(),
      program,
      model: model.info,
      device,
      ...measuredUnits(workspace),
      comparison: variants.comparison(),
    };
  }
}

guardMethods(Session.prototype);

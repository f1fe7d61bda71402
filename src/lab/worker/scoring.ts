/** @file Scores and plans of the open model: criteria, searches, width methods, and the plans that they propose. */
import { checkOptions, checkSpan, measureScores, needsGpu } from '../../importance/measure';
import {
  type Criterion,
  criterionOf,
  type EvolutionEntry,
  type GreedyEntry,
  type ScoreEntry,
  type WidthId,
  widthMethodOf,
} from '../../importance/methods';
import type { SearchProgress } from '../../importance/search/found';
import { baseViewId } from '../../model/view';
import { type PruningPlan, planOfUnits } from '../../pruning/plan';
import type { Scores, WidthScoreOptions, WidthScores } from '../../report/scores';
import type { TaskOptions } from '../../task';
import type {
  ImportanceOptions,
  KeptPlanRequest,
  PlanRequest,
  SurveyOptions,
  SurveyScores,
  WidthOptions,
} from '../contract/types';
import type { Plain } from '../contract/workerSession';
import type { Gpu } from './gpu';
import { saveScores, saveUnfinished, saveWidthScores, widthKey } from './measuredUnits';
import { planByCriterion } from './planning';
import { combinedScores, scoresKey, toScores } from './scores';
import { searchScores, unitOf } from './searching';
import { checkVariant, isVariant, overBase } from './variantScores';
import { checkWidthOptions, measuredOptions, planByWidth } from './widthPlanning';
import { widthScores } from './widthScores';
import { calibrationOf, noData, type Workspace } from './workspace';

/** Scores units of the base, and proposes what to remove. Nothing disturbs the measured times of kernels meanwhile. */
export class Scoring {
  readonly #gpu: Gpu;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  importance(
    workspace: Workspace,
    task: TaskOptions,
    criterion: Criterion,
    options: ImportanceOptions,
  ): Promise<Scores> {
    return this.#gpu.tuning.undisturbed(() => this.#importance(workspace, task, criterion, options), task.signal);
  }

  async #importance(
    workspace: Workspace,
    task: TaskOptions,
    criterion: Criterion,
    options: ImportanceOptions,
  ): Promise<Scores> {
    const record = criterionOf(criterion);
    // Checked before weights are uploaded.
    checkSpan(record, options.window ?? 1, workspace.model.info.shape.layers.length);
    checkOptions(record, options);
    checkVariant(record, options);
    const found = await (record.kind === 'score'
      ? this.#score(workspace, task, record, options)
      : this.#search(workspace, task, record, options));
    return saveScores(workspace, found, options);
  }

  async #score(workspace: Workspace, task: TaskOptions, record: ScoreEntry, options: ImportanceOptions) {
    const unit = unitOf(record, options);
    const { sequences, info } =
      record.needs === 'gpu' ? await calibrationOf(workspace, task) : (workspace.calibration ?? noData);
    const { window: span = 1, plus = false, seed = info.seed } = options;
    const base = workspace.model.info.shape;
    const view = workspace.variants.view(options.of ?? baseViewId);
    const handle = record.needs === 'nothing' ? null : await this.#gpu.engine(task, view);
    handle?.engine.memory().resetPeak();
    const started = performance.now();
    const { shape, weights } = view;
    const probe = handle?.engine ?? null;
    const measured = await measureScores(record, { ...task, probe, shape, weights, sequences, unit, span, seed });
    const how = { criterion: record.id, unit, span, plus, layers: base.layers.length, calibration: info };
    const scores = isVariant(options) ? overBase(base, shape, unit, measured.scores) : measured.scores;
    return toScores({ ...how, ...measured, scores, started, handle });
  }

  async survey(workspace: Workspace, task: TaskOptions, options: Plain<SurveyOptions>): Promise<SurveyScores> {
    checkSpan(criterionOf('angular'), options.window ?? 1, workspace.model.info.shape.layers.length);
    const calibration = await calibrationOf(workspace, task);
    const handle = await this.#gpu.engine(task);
    if (!handle) throw needsGpu(criterionOf('taylor'));
    const found = await this.#gpu.tuning.undisturbed(
      () => combinedScores(handle, calibration, options, task),
      task.signal,
    );
    const { width, ...same } = options;
    const blocks = mapValues(found.blocks, (each) => saveScores(workspace, each, { ...same, window: each.window }));
    const widths = mapValues(found.width, (each) => saveWidthScores(workspace, each));
    return { ...blocks, ...(width ? { width: widths } : {}) };
  }

  async widthImportance(
    workspace: Workspace,
    task: TaskOptions,
    method: WidthId,
    asked: Plain<WidthOptions>,
  ): Promise<WidthScores> {
    const record = widthMethodOf(method);
    checkWidthOptions(method, asked);
    const options = measuredOptions(method, asked);
    const calibration =
      record.needs === 'gpu' ? await calibrationOf(workspace, task) : (workspace.calibration ?? noData);
    const handle = record.needs === 'nothing' ? null : await this.#gpu.engine(task);
    const found = await this.#gpu.tuning.undisturbed(
      () => widthScores(record, workspace.model, { handle, calibration, options }, task),
      task.signal,
    );
    return saveWidthScores(workspace, found);
  }

  /** Scores from this session if they were measured with these options on the present calibration, else measured now. */
  async #widthScores(workspace: Workspace, task: TaskOptions, method: WidthId, options: WidthScoreOptions) {
    const known = workspace.widthScores.get(widthKey(method, options));
    return known ?? this.widthImportance(workspace, task, method, options);
  }

  async #search(
    workspace: Workspace,
    task: TaskOptions,
    record: GreedyEntry | EvolutionEntry,
    options: ImportanceOptions,
  ) {
    const calibration = await calibrationOf(workspace, task);
    const handle = await this.#gpu.engine(task);
    if (!handle) throw needsGpu(record);
    const on = { handle, calibration, layers: workspace.model.info.shape.layers };
    const started = performance.now();
    let last: SearchProgress | null = null;
    const onProgress = (progress: SearchProgress): void => {
      if (progress.found?.length || progress.evolution) last = progress;
      task.onProgress?.(progress);
    };
    try {
      return await searchScores(record, on, options, { ...task, onProgress });
    } catch (thrown) {
      const milliseconds = performance.now() - started;
      if (last) saveUnfinished(workspace, record, last, { options, calibration, milliseconds, device: handle.label });
      throw thrown;
    }
  }

  async plan(workspace: Workspace, task: TaskOptions, request: PlanRequest): Promise<PruningPlan> {
    const { variants, model } = workspace;
    const { id, shape } = model.info;
    if ('width' in request) {
      const measure = (options: WidthScoreOptions) => this.#widthScores(workspace, task, request.width, options);
      return variants.check(await planByWidth(id, shape, request, measure));
    }
    if (!('criterion' in request)) {
      const { blocks = [], attention = [], mlp = [], ...width } = request as KeptPlanRequest;
      const units = [
        ...blocks.map((layer) => ({ kind: 'block', layer }) as const),
        ...attention.map((layer) => ({ kind: 'attention', layer }) as const),
        ...mlp.map((layer) => ({ kind: 'mlp', layer }) as const),
      ];
      // Lists of what stays are checked as they were given: a canonical plan would hide what is wrong with them.
      const { keepHeads, keepNeurons } = width;
      return variants.check({
        ...planOfUnits(id, units),
        ...(keepHeads && { keepHeads }),
        ...(keepNeurons && { keepNeurons }),
      });
    }
    const measure = (options: ImportanceOptions) => this.scores(workspace, task, request.criterion, options);
    return variants.check(await planByCriterion(id, shape, request, measure));
  }

  /** Scores from this session if they were measured on the present calibration, else measured now. */
  async scores(
    workspace: Workspace,
    task: TaskOptions,
    criterion: Criterion,
    options: ImportanceOptions,
  ): Promise<Scores> {
    const known = workspace.scores.get(scoresKey(criterion, options));
    return known ?? this.importance(workspace, task, criterion, options);
  }
}

/** An object with the same keys, and its values changed by a function. */
function mapValues<K extends string, V>(values: Partial<Record<K, V>>, change: (value: V) => V): Partial<Record<K, V>> {
  const entries = Object.entries<V | undefined>(values).map(([key, value]) => [key, value && change(value)]);
  return Object.fromEntries(entries) as Partial<Record<K, V>>;
}

/** @file Builds the variants that meet one budget, and measures them: perplexity one by one, latency in rounds with the base. */
import type { ComparedBatch } from '../../benchmark/comparedSessions';
import { longestSequence } from '../../benchmark/session';
import { LabError, throwIfAborted, toLabError } from '../../errors';
import type { ModelShape } from '../../model/shape';
import { baseViewId, type ModelView } from '../../model/view';
import { type PruningPlan, removesWidth } from '../../pruning/plan';
import type { TaskOptions } from '../../task';
import { checkLatencyText } from '../contract/arguments';
import type { ComparedRow, CompareRequest, Refusal, RepairChoice, VariantInfo } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import { type Goal, planForGoal, weightAndCacheBytes } from './budgets';
import { type ComparedMethod, labelOf, methodsOf, surveyFor, variantName } from './comparedMethods';
import type { Gpu } from './gpu';
import type { Planner } from './ladders';
import { makeVariant } from './making';
import { widthKey } from './measuredUnits';
import { measurePerplexityOf } from './measuring';
import { scoresKey } from './scores';
import type { Scoring } from './scoring';
import type { Workspace } from './workspace';

/** Tokens in the cache that a budget in bytes is for, unless the request says otherwise. */
const mostContext = 2048;
/** Runs of a variant that only the search for a time per token looks at. */
const trialRuns = 5;

/** A variant of the comparison. */
interface Member {
  readonly method: ComparedMethod;
  readonly info: VariantInfo;
}

/**
 * The base's row and one for each method that has a variant under the budget. A method that has none, or whose variant cannot be
 * measured, is among the base row's `refused`. When it is cancelled, what was measured stays in the rows of `lab.comparison()`.
 * @throws LabError 'bad-argument' for methods and budgets that cannot be meant, and where no method has a variant
 */
export function compareVariants(
  workspace: Workspace,
  gpu: Gpu,
  scoring: Scoring,
  task: TaskOptions,
  request: Plain<CompareRequest>,
): Promise<ComparedRow[]> {
  return new Comparison(workspace, gpu, scoring, task, request).run();
}

class Comparison {
  readonly #workspace: Workspace;
  readonly #gpu: Gpu;
  readonly #scoring: Scoring;
  readonly #task: TaskOptions;
  readonly #request: Plain<CompareRequest>;
  readonly #shape: ModelShape;
  readonly #refused: Refusal[] = [];
  /** Milliseconds per decoded token of the first batch size, by variant. */
  readonly #msPerToken = new Map<string, number>();

  constructor(workspace: Workspace, gpu: Gpu, scoring: Scoring, task: TaskOptions, request: Plain<CompareRequest>) {
    this.#workspace = workspace;
    this.#gpu = gpu;
    this.#scoring = scoring;
    this.#task = task;
    this.#request = request;
    this.#shape = workspace.model.info.shape;
  }

  async run(): Promise<ComparedRow[]> {
    const { methods: asked, roundTo, budget } = this.#request;
    const methods = methodsOf(asked, roundTo);
    checkLatencyText(longestSequence(this.#shape), this.#request);
    const goal = await this.#goal();
    await this.#survey(methods);
    const members: Member[] = [];
    for (const method of methods) {
      await this.#trying(method, async () => {
        members.push({ method, info: await this.#build(method, goal, variantName(method, budget, undefined)) });
      });
    }
    if (members.length === 0) throw nothingToCompare(this.#refused);
    await this.#perplexity(baseViewId, 'Original model');
    for (const { method, info } of members) {
      await this.#trying(method, () => this.#perplexity(info.id, labelOf(method)));
    }
    await this.#latency(members);
    return this.#rows(members);
  }

  /** Scores for several methods from one pass forward and backward. What it does not give, or fails to, is measured by each method. */
  async #survey(methods: readonly ComparedMethod[]): Promise<void> {
    const { scores, widthScores } = this.#workspace;
    const isKnown = (method: ComparedMethod): boolean =>
      method.kind === 'depth'
        ? scores.get(scoresKey(method.record.id, { plus: method.plus })) !== undefined
        : widthScores.get(widthKey(method.record.id, {})) !== undefined;
    const options = surveyFor(methods.filter((method) => !isKnown(method)));
    if (options === null || (await this.#gpu.device()) === null) return;
    try {
      await this.#scoring.survey(this.#workspace, this.#staged('Scores'), options);
    } catch (thrown) {
      if (this.#task.signal?.aborted) throw thrown;
      console.warn('The combined pass failed; each method measures by itself.', thrown);
    }
  }

  /** Goes on without the method where its work fails. */
  async #trying(method: ComparedMethod, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      const failure = toLabError(thrown);
      if (failure.code === 'aborted' || this.#task.signal?.aborted) throw thrown;
      this.#refuse(method, failure);
    }
  }

  #refuse(method: ComparedMethod, { message, remedy }: LabError): void {
    const place = placeOf(method);
    const isKnown = this.#refused.some((each) => each.method === place.method && each.roundTo === place.roundTo);
    if (!isKnown) this.#refused.push({ ...place, message, remedy });
    const stage = `${labelOf(method)} is left out: ${message}`;
    this.#task.onProgress?.({ stage, done: 1, total: 1, unit: 'methods' });
  }

  async #goal(): Promise<Goal> {
    const { ratio, bytes, msPerToken } = this.#request.budget;
    if (ratio !== undefined) {
      if (ratio > 0 && ratio < 1) return { kind: 'ratio', ratio };
      throw new LabError(
        'bad-argument',
        `budget.ratio: expected 0 < ratio < 1, got ${ratio}.`,
        'Give a share to remove.',
      );
    }
    if (bytes !== undefined) {
      const context = this.#request.contextTokens ?? Math.min(this.#shape.maxPositions, mostContext);
      const bytesOf = weightAndCacheBytes(this.#workspace.model.info.dtype, context);
      if (bytesOf(this.#shape) > bytes) return { kind: 'bytes', limit: bytes, bytesOf };
      throw meetsAlready(
        `bytes: expected fewer than the ${bytesOf(this.#shape)} of the original model with ${context} tokens`,
        bytes,
      );
    }
    const limit = msPerToken ?? Number.NaN;
    const trials = new Map<string, number>();
    const measure = async (plan: PruningPlan): Promise<number> => {
      const { view } = this.#workspace.variants.resolve(plan);
      const sizes = JSON.stringify(view.shape.layers.map(({ heads, kvHeads, ffn }) => [heads, kvHeads, ffn]));
      const time = trials.get(sizes) ?? (await this.#trial(view));
      trials.set(sizes, time);
      return time;
    };
    const original = await this.#trial(this.#workspace.variants.view(baseViewId));
    if (original > limit) return { kind: 'msPerToken', limit, original, measure };
    throw meetsAlready(`msPerToken: expected less than the ${original.toFixed(3)} ms of the original model`, limit);
  }

  /** Milliseconds per decoded token of the first batch size. */
  async #trial(view: ModelView): Promise<number> {
    const { runtime, promptTokens, newTokens, batchSizes = [1], runs = trialRuns } = this.#request;
    if (newTokens !== undefined && newTokens < 2) {
      throw new LabError(
        'bad-argument',
        `newTokens: expected at least 2 for a time per token, got ${newTokens}.`,
        'Use more.',
      );
    }
    const how = { runtime, promptTokens, newTokens, batchSizes: batchSizes.slice(0, 1), warmups: 1 };
    const request = { ...defined(how), runs: Math.min(runs, trialRuns) };
    const task = this.#staged('Searching the budget');
    const [result] = await this.#gpu.tuning.undisturbed(
      () => this.#workspace.runtimes.latency(view, request, task, async () => []),
      task.signal,
    );
    return result!.decodeMsPerToken;
  }

  async #build(method: ComparedMethod, goal: Goal, name: string): Promise<VariantInfo> {
    const task = this.#staged(labelOf(method));
    const workspace = this.#workspace;
    throwIfAborted(task.signal, 'The comparison');
    const planner: Planner = {
      model: workspace.model.info.id,
      shape: this.#shape,
      scores: (options) => {
        if (method.kind !== 'depth') throw new TypeError(`${method.asked} has no scores of blocks`);
        return this.#scoring.scores(workspace, task, method.record.id, options);
      },
      plan: (request) => this.#scoring.plan(workspace, task, request),
    };
    const plan = await planForGoal(method, goal, planner);
    const repair = repairFor(this.#request.repair, plan);
    const called = repair === undefined ? name : variantName(method, this.#request.budget, repair);
    return makeVariant(workspace, this.#gpu, task, plan, defined({ name: called, repair }));
  }

  async #perplexity(id: string, label: string): Promise<void> {
    await measurePerplexityOf(this.#workspace, this.#gpu, this.#staged(label), id, this.#request.evaluation ?? {});
  }

  async #latency(members: readonly Member[]): Promise<void> {
    const { variants, runtimes } = this.#workspace;
    const { runtime, batchSizes, promptTokens, newTokens, warmups, runs } = this.#request;
    const ids = [baseViewId, ...members.map(({ info }) => info.id)];
    const how = defined({ runtime, batchSizes, promptTokens, newTokens, warmups, runs });
    const listener = {
      onFailed: (at: number, failure: LabError) => this.#refuse(members[at - 1]!.method, failure),
      onBatch: (found: ComparedBatch) => this.#record(ids, found),
    };
    await this.#gpu.tuning.undisturbed(
      () =>
        runtimes.comparedLatency(
          ids.map((id) => variants.view(id)),
          how,
          this.#task,
          listener,
        ),
      this.#task.signal,
    );
  }

  /** Puts the times of a batch size into the variants' rows. */
  #record(ids: readonly string[], { sessions, inTurns }: ComparedBatch): void {
    sessions.forEach((found, at) => {
      if (found === null) return;
      const { measurement, latency, decode, pairs } = found;
      const speedUp = { ...latency, against: baseViewId, decode, pairs, inTurns };
      const id = ids[at]!;
      this.#workspace.variants.recordLatency(id, [id === baseViewId ? measurement : { ...measurement, speedUp }]);
      if (!this.#msPerToken.has(id)) this.#msPerToken.set(id, measurement.decodeMsPerToken);
    });
  }

  #rows(members: readonly Member[]): ComparedRow[] {
    const rows = new Map(this.#workspace.variants.comparison().map((row) => [row.variant, row]));
    const base = rows.get(baseViewId)!;
    const refused = this.#refused.length > 0 ? { refused: this.#refused } : {};
    return [
      { ...base, method: null, reached: this.#reached(baseViewId), ...refused },
      ...members.flatMap(({ method, info }): ComparedRow[] => {
        const row = rows.get(info.id); // discarded meanwhile?
        return row ? [{ ...row, ...placeOf(method), reached: this.#reached(info.id) }] : [];
      }),
    ];
  }

  /** The budget's quantity as a variant has it. */
  #reached(id: string): number | null {
    const { ratio, bytes } = this.#request.budget;
    const info = this.#workspace.variants.list().find((each) => each.id === id);
    if (ratio !== undefined) return info?.ratio ?? null;
    if (bytes === undefined) return this.#msPerToken.get(id) ?? null;
    const context = this.#request.contextTokens ?? Math.min(this.#shape.maxPositions, mostContext);
    return info ? weightAndCacheBytes(this.#workspace.model.info.dtype, context)(info.shape) : null;
  }

  /** The task with a name in front of each stage. */
  #staged(label: string): TaskOptions {
    const { signal, onProgress } = this.#task;
    return {
      signal,
      onProgress: onProgress && ((progress) => onProgress({ ...progress, stage: `${label}: ${progress.stage}` })),
    };
  }
}

/** The method as the request named it, and its rounding. */
function placeOf(method: ComparedMethod): Pick<Refusal, 'method' | 'roundTo'> {
  const roundTo = method.kind === 'width' ? method.roundTo : undefined;
  return { method: method.asked, ...(roundTo === undefined ? {} : { roundTo }) };
}

/** The repair that was asked for, if it fits what the plan removes; else undefined, which leaves it to the plan. */
function repairFor(repair: RepairChoice | undefined, plan: PruningPlan): RepairChoice | undefined {
  if (repair === undefined || repair === 'none') return repair;
  const fits = repair === 'flap-bias' ? removesWidth(plan) : plan.removeBlocks.length > 0 && !removesWidth(plan);
  return fits ? repair : undefined;
}

/** Without the fields that are undefined. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function meetsAlready(what: string, got: number): LabError {
  return new LabError('bad-argument', `budget.${what}, got ${got}.`, 'Give a budget that the original model exceeds.');
}

function nothingToCompare(refused: readonly Refusal[]): LabError {
  const reasons = refused.map(({ method, message }) => `${method}: ${message}`).join(' ');
  return new LabError(
    'bad-argument',
    `compare: no method has a variant under this budget. ${reasons}`,
    refused[0]?.remedy ?? 'Name other methods.',
  );
}

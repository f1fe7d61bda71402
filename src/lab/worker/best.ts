/**
 * @file Searches the variant with the lowest perplexity under a budget on this device: latencies by a table, losses by the engine. The
 * winner becomes a variant and is benchmarked.
 */
import { graphCacheBytes } from '../../benchmark/cache';
import { blockMs, type LatencyTable, modelMs } from '../../benchmark/latencyTable';
import { LabError } from '../../errors';
import { layerParameters, modelParameters } from '../../model/count';
import type { ModelShape } from '../../model/shape';
import { baseViewId, type ModelView } from '../../model/view';
import { layerCacheBytes, windowedCacheBytes } from '../../pruning/budget/costs';
import { smallest } from '../../pruning/budget/problem';
import { sizeUnits } from '../../pruning/budget/sizes';
import type { Runtime } from '../../report/results';
import type { TaskOptions } from '../../task';
import type { BestFacts, BestNumbers, BestRequest, BestResult, VariantInfo } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import { budgetOptions, type Limit, measureLosses, type Options, searchBudget, wholeTotals } from './bestSearch';
import type { Gpu } from './gpu';
import { latencyTable, type Timing, timingOf } from './latencyTables';
import { makeVariant } from './making';
import type { Scoring } from './scoring';
import type { Sequences } from './sequences';
import { calibrationOf, type Workspace } from './workspace';

const budgets = ['msPerToken', 'msShare', 'cacheBytes', 'cacheShare', 'ratio'] as const;
/** Most tokens in the cache unless told. */
const defaultContext = 2048;
/** Variants up to this size are measured in a moment. */
const smallModel = 5e7;

export async function findBest(
  workspace: Workspace,
  gpu: Gpu,
  scoring: Scoring,
  task: TaskOptions,
  request: Plain<BestRequest>,
): Promise<BestResult> {
  if (budgets.every((name) => request[name] === undefined)) {
    throw new LabError(
      'bad-argument',
      'best: expected at least one budget (msPerToken, msShare, cacheBytes, cacheShare or ratio), got none.',
      'Give for example msShare: 0.8, four fifths of the time that the base takes per token.',
    );
  }
  return gpu.tuning.undisturbed(() => new Best(workspace, gpu, scoring, task, request).find(), task.signal);
}

class Best {
  readonly #workspace: Workspace;
  readonly #gpu: Gpu;
  readonly #scoring: Scoring;
  readonly #task: TaskOptions;
  readonly #request: Plain<BestRequest>;
  readonly #shape: ModelShape;
  readonly #tokens: number;

  constructor(workspace: Workspace, gpu: Gpu, scoring: Scoring, task: TaskOptions, request: Plain<BestRequest>) {
    this.#workspace = workspace;
    this.#gpu = gpu;
    this.#scoring = scoring;
    this.#task = task;
    this.#request = request;
    this.#shape = workspace.model.info.shape;
    this.#tokens = request.contextTokens ?? Math.min(this.#shape.maxPositions, defaultContext);
  }

  async find(): Promise<BestResult> {
    const { model } = this.#workspace;
    const [task, request, shape] = [this.#task, this.#request, this.#shape];
    const handle = await this.#gpu.engine(task);
    if (handle === null) {
      throw new LabError(
        'no-webgpu',
        'The search measures losses with the WGSL engine, and this browser has no WebGPU.',
        'Open the page in a browser with WebGPU.',
      );
    }
    const calibration = await calibrationOf(this.#workspace, task);
    const timing = await timingOf(this.#workspace, request);
    const table = await latencyTable(this.#workspace, this.#gpu, timing, task);
    const limits = this.#limits(table);
    const { units = sizeUnits } = request;
    const options = budgetOptions(shape, units, limits);
    this.#refuse(options, limits);

    const { engine, label } = handle;
    const { sequences, info } = calibration;
    const started = performance.now();
    const losses = await measureLosses(engine, shape, sequences, task);
    const single = units.some((unit) => unit === 'kvGroup' || unit === 'neuron');
    const scored: TaskOptions = {
      signal: task.signal,
      onProgress: (progress) => task.onProgress?.({ ...progress, stage: 'Scores of heads and neurons' }),
    };
    const width = single ? await this.#scoring.widthImportance(this.#workspace, scored, 'wanda-sp', {}) : null;
    const { seed = info.seed } = request;
    const effort = this.#effort(label.software);
    const found = await searchBudget({
      ...task,
      ...{ model: model.info.id, shape, weights: model.weights, engine, sequences, options, losses, width, seed },
      ...effort,
      numbersOf: (cut) => ({ ...this.#predict(table, cut), parameters: modelParameters(cut) }),
    });
    if (found === null) throw together(limits);
    const milliseconds = performance.now() - started;

    const name = this.#name(limits);
    const variant = await makeVariant(this.#workspace, this.#gpu, task, found.plan, { name, repair: 'none' });
    const verified = await this.#verify(variant, timing);
    const lost = found.nll - losses.base;
    const predicted: BestNumbers = {
      ...this.#predict(table, variant.shape),
      perplexity: verified.enginePerplexity * Math.exp(lost),
    };
    const { measured, base, device } = verified;
    const facts: BestFacts = {
      runtime: timing.runtime,
      device,
      engine: label,
      limits: Object.fromEntries(limits.map((limit) => [limit.name, limit.most])),
      met: this.#met(limits, measured, variant),
      base,
      contextTokens: this.#tokens,
      table,
      search: {
        evaluations: found.evaluations,
        generations: effort.generations,
        seed,
        basePerplexity: Math.exp(losses.base),
        greedyPerplexity: Math.exp(found.greedyNll),
        perplexity: Math.exp(found.nll),
        milliseconds,
      },
      calibration: info,
    };
    return { variant, predicted, measured, facts };
  }

  #predict(table: LatencyTable, shape: ModelShape): Omit<BestNumbers, 'perplexity'> {
    return { msPerToken: modelMs(table, shape), cacheBytes: windowedCacheBytes(shape, this.#tokens) };
  }

  /** The budgets that were asked for, in numbers. */
  #limits(table: LatencyTable): Limit[] {
    const { msShare, cacheShare, ratio } = this.#request;
    const shape = this.#shape;
    const whole = modelParameters(shape);
    const inBlocks = shape.layers.reduce((sum, layer) => sum + layerParameters(shape, layer), 0);
    const least = (...values: (number | undefined)[]) => Math.min(...values.filter((value) => value !== undefined));
    const ms = least(this.#request.msPerToken, msShare === undefined ? undefined : msShare * modelMs(table, shape));
    const cache = windowedCacheBytes(shape, this.#tokens);
    const bytes = least(this.#request.cacheBytes, cacheShare === undefined ? undefined : cacheShare * cache);
    const limits: Limit[] = [
      { name: 'msPerToken', most: ms, outside: table.outside, of: (layer) => blockMs(table, layer) },
      { name: 'cacheBytes', most: bytes, outside: 0, of: (layer) => layerCacheBytes(layer, this.#tokens) },
      {
        name: 'parameters',
        most: ratio === undefined ? Number.POSITIVE_INFINITY : (1 - ratio) * whole,
        outside: whole - inBlocks,
        of: (layer) => layerParameters(shape, layer),
      },
    ];
    return limits.filter(({ most }) => Number.isFinite(most));
  }

  /** Refuses budgets that no variant meets, and those that the base meets. */
  #refuse(options: Options, limits: readonly Limit[]): void {
    const least = smallest(options.problem);
    for (const [at, { name, most, outside }] of limits.entries()) {
      const reachable = outside + least[at]!;
      if (reachable <= most * (1 + 1e-9)) continue;
      throw new LabError(
        'bad-argument',
        `best: the smallest variant that these units allow takes ${said(name, roundedUp(name, reachable))}; the budget is ${said(name, most)}.`,
        `Give at least ${said(name, roundedUp(name, reachable))}, or let more units go.`,
      );
    }
    const whole = wholeTotals(options).map((total, at) => total + limits[at]!.outside);
    if (whole.some((total, at) => total > limits[at]!.most)) return;
    const taken = limits.map(({ name, most }, at) => `${said(name, whole[at]!)} of ${said(name, most)}`).join(', ');
    throw new LabError('bad-argument', `best: the base meets the budget: it takes ${taken}.`, 'Give a tighter budget.');
  }

  #effort(software: boolean): { generations: number; offspring: number } {
    const { generations, offspring } = this.#request;
    const small = modelParameters(this.#shape) <= smallModel;
    const usual = !small ? [8, 6] : software ? [12, 8] : [20, 12];
    return { generations: generations ?? usual[0]!, offspring: offspring ?? usual[1]! };
  }

  #name(limits: readonly Limit[]): string {
    return `best under ${limits.map(({ name, most }) => said(name, most)).join(', ')}`;
  }

  /** Benchmarks the variant beside the base, and measures the perplexities of both on the evaluation text. */
  async #verify({ id }: VariantInfo, { runtime, ...counts }: Timing) {
    const { variants, runtimes, sequences, calibration } = this.#workspace;
    const [view, base] = [variants.view(id), variants.view(baseViewId)];
    const named = (name: string): TaskOptions => ({
      signal: this.#task.signal,
      onProgress: (progress) => this.#task.onProgress?.({ ...progress, stage: `${name}: ${progress.stage}` }),
    });
    const text = async () => calibration?.sequences ?? [];
    const pairs = await runtimes.pairedLatency(
      view,
      base,
      { ...counts, runs: 2 * Math.ceil(counts.runs / 2), runtime },
      named('Benchmark'),
      text,
    );
    const [pair] = pairs;
    const { measured, reference, latency, decode, pairs: count, inTurns } = pair!;
    variants.recordLatency(baseViewId, [reference]);
    variants.recordLatency(id, [
      { ...measured, speedUp: { ...latency, against: baseViewId, decode, pairs: count, inTurns } },
    ]);
    const evaluation = await sequences.evaluation(this.#request.evaluation ?? {}, this.#task);
    const perplexityOf = (of: ModelView, on: Runtime) => this.#perplexity(of, on, evaluation, named('Perplexity'));
    const enginePerplexity = await perplexityOf(base, 'wgsl');
    await perplexityOf(view, 'wgsl');
    const perplexity = { base: await perplexityOf(base, runtime), variant: await perplexityOf(view, runtime) };
    const cacheBytes = (of: ModelView) =>
      runtimes.withSession(
        of,
        runtime,
        this.#task,
      )(async ({ shape, graph: { report } }) => graphCacheBytes({ shape, report }, this.#tokens));
    return {
      enginePerplexity,
      device: measured.device,
      measured: {
        msPerToken: measured.decodeMsPerToken,
        cacheBytes: await cacheBytes(view),
        perplexity: perplexity.variant,
      },
      base: {
        msPerToken: reference.decodeMsPerToken,
        cacheBytes: await cacheBytes(base),
        perplexity: perplexity.base,
      },
    };
  }

  async #perplexity(view: ModelView, runtime: Runtime, text: Sequences, task: TaskOptions): Promise<number> {
    const { runtimes, variants } = this.#workspace;
    const { meanNll, ...rest } = await runtimes.perplexity(runtime, view, text, task);
    const perplexity = Math.exp(meanNll);
    variants.recordPerplexity(view.id, { perplexity, meanNll, ...rest, runtime, text: text.text });
    return perplexity;
  }

  #met(limits: readonly Limit[], measured: BestNumbers, { parameters }: VariantInfo): boolean {
    const numbers = { ...measured, parameters };
    return limits.every(({ name, most }) => numbers[name] <= most * (1 + 1e-9));
  }
}

/** Each budget can be met, but not all of them at once. */
function together(limits: readonly Limit[]): LabError {
  const all = limits.map(({ name, most }) => said(name, most)).join(', ');
  return new LabError(
    'bad-argument',
    `best: no variant that these units allow keeps all budgets together (${all}).`,
    'Give one of them more room, or let more units go.',
  );
}

/** The least number of so many digits that is enough. */
function roundedUp(name: Limit['name'], value: number): number {
  if (name !== 'msPerToken') return Math.ceil(value);
  const step = 10 ** (Math.floor(Math.log10(value)) - 2);
  return Math.ceil(value / step - 1e-9) * step;
}

/** A number of a budget with its unit. */
function said(name: Limit['name'], value: number): string {
  if (name === 'msPerToken') return `${Number(value.toPrecision(3))} ms per token`;
  if (name === 'parameters') return `${Math.round(value)} parameters`;
  return `${Math.round(value)} bytes of cache`;
}

/** @file Latency of a whole generation: a prompt in, a fixed number of tokens out, greedy, batch by batch. */
import { LabError, throwIfAborted } from '../errors';
import { createRandom, mixSeed, randomInt } from '../numerics/random';
import { median, standardDeviation } from '../numerics/statistics';
import { breathe, type TaskOptions } from '../task';
import type { KvCache } from './cache';
import type { DeviceLabel } from './deviceLabel';
import type { GraphPrecision } from './precision';
import { argmax } from './sampling';
import type { Forward, OrtRuntime, OrtSession } from './session';

export interface LatencyOptions extends TaskOptions {
  /** Default 12. */
  promptTokens?: number | undefined;
  /** Default 128. */
  newTokens?: number | undefined;
  /** Default [1]. */
  batchSizes?: readonly number[] | undefined;
  /** Default 2. */
  warmups?: number | undefined;
  /** Default 5. */
  runs?: number | undefined;
}

export interface LatencyMeasurement {
  batch: number;
  /** Medians over `runs`. */
  prefillMs: number;
  decodeMsPerToken: number;
  /** Whole generation: prefill and all new tokens. */
  latencyMs: number;
  /** batch · newTokens per second of latency. */
  throughput: number;
  /** Standard deviation of latencyMs over the runs, ms. */
  spread: number;
  /** Weights as they are held, the largest part of one that is widened for its product, and the largest cache, bytes. */
  peakBytes: number;
  precision: GraphPrecision;
  runtime: OrtRuntime;
  promptTokens: number;
  newTokens: number;
  runs: number;
  warmups: number;
  device: DeviceLabel;
}

/** Of one generation, ms. */
export interface RunTimes {
  prefillMs: number;
  latencyMs: number;
}

/** Decoding must give what a prefill of the same tokens gives, to this share of the largest logit. */
const tolerances: Readonly<Record<GraphPrecision, number>> = { f32: 1e-3, 'f16-weights': 1e-3, f16: 3e-2 };

function checkCounts(counts: Record<string, number>, minimum: Record<string, number>): void {
  for (const [name, value] of Object.entries(counts)) {
    const least = minimum[name] ?? 1;
    if (Number.isInteger(value) && value >= least) continue;
    throw new LabError(
      'bad-argument',
      `latency: ${name} must be an integer ≥ ${least}, got ${value}.`,
      'Change this option.',
    );
  }
}

/** Prompts [batch][count]; what they say does not matter for the time, but each differs. */
function randomPrompts(batch: number, count: number, vocab: number): number[][] {
  return Array.from({ length: batch }, (_, row) => {
    const random = createRandom(mixSeed(0, row));
    return Array.from({ length: count }, () => randomInt(random, vocab));
  });
}

const lastRows = (batch: number, seqLen: number) => Array.from({ length: batch }, (_, row) => (row + 1) * seqLen - 1);

function checkFinite(logits: Float32Array, what: string): void {
  const bad = logits.find((value) => !Number.isFinite(value));
  if (bad === undefined) return;
  throw new LabError(
    'non-finite',
    `${what}: expected finite logits, got ${bad}.`,
    'The lab reports no time for a wrong result. Measure the perplexity: it tells you where a value is not finite.',
  );
}

/** Before anything is timed: logits are finite, and single steps continue a prefill as a longer prefill would. */
async function validate(
  session: OrtSession,
  prompts: readonly number[][],
  cache: KvCache,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { vocab, layers } = session.shape;
  const batch = prompts.length;
  const seqLen = prompts[0]!.length;
  const { runtime } = session.device;
  const tolerance = tolerances[session.graph.report.precision];
  const whole = await session.forward({ tokens: prompts.flat(), batch, rows: lastRows(batch, seqLen), signal });
  checkFinite(whole, `${runtime}, prefill of ${batch} × ${seqLen} tokens`);
  const steps = Math.min(4, seqLen - 1);
  if (steps === 0 || layers.every(({ heads }) => heads === 0)) return;
  let stepped = new Float32Array();
  cache.reset();
  const begin = prompts.flatMap((prompt) => prompt.slice(0, seqLen - steps));
  await session.forward({ tokens: begin, batch, rows: lastRows(batch, seqLen - steps), cache, signal });
  for (let step = seqLen - steps; step < seqLen; step++) {
    await breathe();
    throwIfAborted(signal, 'Latency');
    const tokens = prompts.map((prompt) => prompt[step]!);
    const rows = lastRows(batch, 1);
    stepped = (await session.forward({ tokens, batch, rows, cache, signal })) as Float32Array<ArrayBuffer>;
  }
  const scale = whole.reduce((top, value) => Math.max(top, Math.abs(value)), Number.MIN_VALUE);
  const worst = whole.reduce((top, value, i) => Math.max(top, Math.abs(value - stepped[i]!)), 0) / scale;
  if (stepped.length === batch * vocab && worst <= tolerance) return;
  throw new LabError(
    'self-check',
    `${runtime}: decoding differs from a prefill of the same tokens by ${worst} of the largest logit (tolerance ${tolerance}).`,
    'The lab reports no time for a wrong result. Use another runtime, or update the browser and the GPU driver.',
  );
}

/** One generation. Choosing the token on the CPU belongs to it, as in any real one; what `onStep` does is not timed. */
async function timeRun(
  forward: Forward,
  prompts: readonly number[][],
  cache: KvCache,
  newTokens: number,
  vocab: number,
  onStep: () => Promise<void>,
): Promise<RunTimes> {
  const batch = prompts.length;
  const choose = (logits: Float32Array) => prompts.map((_, row) => argmax(logits, row * vocab, vocab));
  const decodeRows = lastRows(batch, 1);
  const tokens = prompts.flat();
  const promptRows = lastRows(batch, prompts[0]!.length);
  cache.reset();
  const started = performance.now();
  let next = choose(await forward({ tokens, batch, rows: promptRows, cache }));
  const prefillMs = performance.now() - started;
  await onStep();
  let latencyMs = prefillMs;
  for (let step = 1; step < newTokens; step++) {
    const begun = performance.now();
    next = choose(await forward({ tokens: next, batch, rows: decodeRows, cache }));
    latencyMs += performance.now() - begun;
    await onStep();
  }
  return { prefillMs, latencyMs };
}

/** Numbers of warm-ups and runs. */
export interface LatencyCounts {
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly batchSizes: readonly number[];
  readonly warmups: number;
  readonly runs: number;
}

/** The counts of a request. @throws LabError 'bad-argument' */
export function latencyCounts(options: LatencyOptions): LatencyCounts {
  const { promptTokens = 12, newTokens = 128, batchSizes = [1], warmups = 2, runs = 5 } = options;
  checkCounts({ promptTokens, newTokens, warmups, runs }, { warmups: 0 });
  for (const batch of batchSizes) checkCounts({ batch }, {});
  return { promptTokens, newTokens, batchSizes, warmups, runs };
}

/** Tokens that a benchmark of one session makes, warm-ups included. */
export function tokensOf({ batchSizes, warmups, runs, newTokens }: LatencyCounts): number {
  return batchSizes.reduce((sum, batch) => sum + batch * (warmups + runs) * newTokens, 0);
}

/** A session that is ready to be timed with one batch size. */
export interface Track {
  /** One generation, with nothing of other sessions between its steps; `onStep` comes between them and may throw. */
  run(onStep: () => void): Promise<RunTimes>;
  /** What all timed runs say together. */
  summarize(timed: readonly RunTimes[]): LatencyMeasurement;
  dispose(): void;
}

/** Prompts and a cache for a batch size; rejects where the session's results are wrong, before anything is timed. */
export async function openTrack(
  session: OrtSession,
  batch: number,
  counts: LatencyCounts,
  signal: AbortSignal | undefined,
): Promise<Track> {
  const { promptTokens, newTokens, warmups } = counts;
  const { vocab } = session.shape;
  const { weightBytes, widenedBytes, precision } = session.graph.report;
  throwIfAborted(signal, 'Latency');
  const prompts = randomPrompts(batch, promptTokens, vocab);
  const cache = session.openCache(batch, promptTokens + newTokens - 1);
  try {
    await validate(session, prompts, cache, signal);
  } catch (thrown) {
    cache.dispose();
    throw thrown;
  }
  return {
    run: (onStep) =>
      session.exclusively(
        (forward) =>
          timeRun(forward, prompts, cache, newTokens, vocab, async () => {
            await breathe();
            throwIfAborted(signal, 'Latency');
            onStep();
          }),
        signal,
      ),
    summarize(timed) {
      const latencyMs = median(timed.map((times) => times.latencyMs));
      return {
        batch,
        prefillMs: median(timed.map((times) => times.prefillMs)),
        decodeMsPerToken: newTokens === 1 ? 0 : median(timed.map((t) => (t.latencyMs - t.prefillMs) / (newTokens - 1))),
        latencyMs,
        throughput: (1000 * batch * newTokens) / latencyMs,
        spread: standardDeviation(timed.map((times) => times.latencyMs)),
        peakBytes: weightBytes + widenedBytes + cache.bytes,
        precision,
        runtime: session.runtime,
        promptTokens,
        newTokens,
        runs: timed.length,
        warmups,
        device: session.device,
      };
    },
    dispose: () => cache.dispose(),
  };
}

/** Measures every batch size in turn: warm-ups, then `runs` generations; medians and spread. */
export async function measureLatency(session: OrtSession, options: LatencyOptions = {}): Promise<LatencyMeasurement[]> {
  const counts = latencyCounts(options);
  const { signal, onProgress } = options;
  const { warmups, runs } = counts;
  const total = tokensOf(counts);
  const results: LatencyMeasurement[] = [];
  let done = 0;
  for (const batch of counts.batchSizes) {
    const track = await openTrack(session, batch, counts, signal);
    try {
      const timed: RunTimes[] = [];
      for (let run = 0; run < warmups + runs; run++) {
        const times = await track.run(() => {
          done += batch;
          onProgress?.({ stage: run < warmups ? 'Warming up' : 'Latency', done, total, unit: 'tokens' });
        });
        if (run >= warmups) timed.push(times);
      }
      results.push(track.summarize(timed));
    } finally {
      track.dispose();
    }
  }
  return results;
}

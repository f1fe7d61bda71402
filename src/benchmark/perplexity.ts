/**
 * @file Perplexity of sequences of tokens: exp of the mean negative log-likelihood, in float64 from the runtime's
 * logits.
 */
import { LabError, throwIfAborted } from '../errors';
import { breathe, type TaskOptions } from '../task';
import type { KvCache } from './cache';
import type { DeviceLabel } from './deviceLabel';
import type { GraphPrecision } from './precision';
import type { Forward, OrtRuntime, OrtSession } from './session';

export interface PerplexityMeasurement {
  perplexity: number;
  /** Over all predicted tokens of all sequences, in nats. */
  meanNll: number;
  /** Predicted tokens. */
  tokens: number;
  milliseconds: number;
  runtime: OrtRuntime;
  device: DeviceLabel;
  precision: GraphPrecision;
  /** Mean NLL of each sequence. */
  sequenceNll: number[];
}

export interface PerplexityOptions extends TaskOptions {
  /**
   * Per sequence, index of the first token to predict: overlapping sequences score only their new tokens. Default 1.
   */
  firstTargets?: readonly number[] | undefined;
  /** Logits of one run stay below this many bytes; longer sequences run in chunks. Default 64 MiB. */
  logitBytes?: number | undefined;
}

export type TokenSequence = readonly number[];

const defaultLogitBytes = 64 * 2 ** 20;
/** A run cannot be cancelled, so it is kept short. */
const rowsPerRun = 512;

/** −log softmax(logits[row])[target], [rows, vocab] → nats. */
export function rowNll(logits: Float32Array, row: number, vocab: number, target: number): number {
  const start = row * vocab;
  let top = Number.NEGATIVE_INFINITY;
  for (let i = start; i < start + vocab; i++) top = Math.max(top, logits[i]!);
  let sum = 0;
  for (let i = start; i < start + vocab; i++) sum += Math.exp(logits[i]! - top);
  return top + Math.log(sum) - logits[start + target]!;
}

/** Sum of NLL of one sequence's targets. */
interface Scored {
  sum: number;
  count: number;
}

function checkSequences(sequences: readonly TokenSequence[], firstTargets: readonly number[] | undefined): void {
  const short = sequences.findIndex((sequence, i) => {
    const first = firstTargets?.[i] ?? 1;
    return !(first >= 1 && first < sequence.length);
  });
  if (sequences.length > 0 && short < 0) return;
  throw new LabError(
    'bad-argument',
    sequences.length === 0
      ? 'Perplexity: expected at least one sequence of tokens, got none.'
      : `Perplexity: sequence ${short} has ${sequences[short]?.length} tokens, so there is nothing to predict.`,
    'Use sequences of at least two tokens.',
  );
}

/** Sequences of equal length, as many as fit one run; a longer sequence is a group of its own. */
function groupSequences(sequences: readonly TokenSequence[], maxRows: number): number[][] {
  const groups: number[][] = [];
  sequences.forEach((sequence, index) => {
    const group = groups.at(-1);
    const alike = group !== undefined && sequences[group[0]!]!.length === sequence.length;
    if (alike && (group.length + 1) * sequence.length <= maxRows) group.push(index);
    else groups.push([index]);
  });
  return groups;
}

/** Sequences [batch][seqLen] in one run, without a cache. */
async function scoreGroup(
  forward: Forward,
  sequences: readonly TokenSequence[],
  firsts: readonly number[],
  vocab: number,
  signal: AbortSignal | undefined,
) {
  const seqLen = sequences[0]!.length;
  // The row before a token predicts it; the head runs on no other.
  const targets = sequences.flatMap((sequence, w) =>
    sequence.slice(firsts[w]!).map((target, i) => ({ w, row: w * seqLen + firsts[w]! + i - 1, target })),
  );
  const rows = targets.map(({ row }) => row);
  const logits = await forward({ tokens: sequences.flat(), batch: sequences.length, rows, signal });
  const scored: Scored[] = sequences.map(() => ({ sum: 0, count: 0 }));
  targets.forEach(({ w, target }, i) => {
    scored[w]!.sum += rowNll(logits, i, vocab, target);
    scored[w]!.count += 1;
  });
  return scored;
}

/** A sequence that is too long for one run: in chunks that continue each other. */
async function scoreLong(
  forward: Forward,
  sequence: TokenSequence,
  first: number,
  chunk: number,
  cache: KvCache,
  vocab: number,
  signal: AbortSignal | undefined,
): Promise<Scored> {
  const scored: Scored = { sum: 0, count: 0 };
  const inputs = sequence.slice(0, -1);
  for (let start = 0; start < inputs.length; start += chunk) {
    await breathe();
    throwIfAborted(signal, 'Perplexity');
    const tokens = inputs.slice(start, start + chunk);
    const rows = tokens.flatMap((_, i) => (start + i + 1 >= first ? [i] : []));
    // Without a wanted row the last one is asked for: the head accepts no empty list everywhere.
    const wanted = rows.length > 0 ? rows : [tokens.length - 1];
    const logits = await forward({ tokens, batch: 1, rows: wanted, cache, signal });
    rows.forEach((row, i) => {
      scored.sum += rowNll(logits, i, vocab, sequence[start + row + 1]!);
      scored.count += 1;
    });
  }
  return scored;
}

/** Mean NLL over all predicted tokens of `sequences`, each on its own. */
export async function measurePerplexity(
  session: OrtSession,
  sequences: readonly TokenSequence[],
  { firstTargets, logitBytes = defaultLogitBytes, signal, onProgress }: PerplexityOptions = {},
): Promise<PerplexityMeasurement> {
  checkSequences(sequences, firstTargets);
  const { vocab } = session.shape;
  const maxRows = Math.max(1, Math.min(rowsPerRun, Math.floor(logitBytes / (4 * vocab))));
  const total = sequences.reduce((sum, sequence, i) => sum + sequence.length - (firstTargets?.[i] ?? 1), 0);
  const scored: Scored[] = [];
  let done = 0;
  const started = performance.now();
  for (const group of groupSequences(sequences, maxRows)) {
    await breathe();
    throwIfAborted(signal, 'Perplexity');
    const [index] = group as [number];
    const sequence = sequences[index]!;
    const firsts = group.map((i) => firstTargets?.[i] ?? 1);
    if (sequence.length > maxRows) {
      const cache = session.openCache(1, sequence.length);
      try {
        scored.push(await scoreLong(session.forward, sequence, firsts[0]!, maxRows, cache, vocab, signal));
      } finally {
        cache.dispose();
      }
    } else {
      const members = group.map((i) => sequences[i]!);
      scored.push(...(await scoreGroup(session.forward, members, firsts, vocab, signal)));
    }
    done = scored.reduce((sum, { count }) => sum + count, 0);
    onProgress?.({ stage: 'Perplexity', done, total, unit: 'tokens' });
  }
  const milliseconds = performance.now() - started;
  const meanNll = scored.reduce((sum, sequence) => sum + sequence.sum, 0) / done;
  if (!Number.isFinite(meanNll)) {
    throw new LabError(
      'non-finite',
      `Perplexity on ${session.device.runtime}: expected a finite mean loss, got ${meanNll}: a hidden state is beyond the range of float32 or not a number.`,
      "Measure it with runtime 'wgsl', which names the block.",
    );
  }
  return {
    perplexity: Math.exp(meanNll),
    meanNll,
    tokens: done,
    milliseconds,
    runtime: session.runtime,
    device: session.device,
    precision: session.graph.report.precision,
    sequenceNll: scored.map(({ sum, count }) => sum / count),
  };
}

/**
 * @file Corpora → sequences of token ids, each [seqLen] and scored on its own.
 *
 * Two protocols. Evaluation goes through the text in order, so that the number covers all of it. Calibration takes
 * `samples` sequences at seeded random places that do not overlap, so that a seed gives the same sequences everywhere.
 *
 * Two kinds of text. A running text is tokenised once, without special tokens, and cut anywhere. A book of stories
 * (separated by a blank line) is tokenised story by story, each as `<s>` + its tokens; a sequence starts at a story's
 * start, goes on with the stories that follow, and is cut at seqLen: what is cut off is in no sequence.
 */

import { LabError } from '../errors';
import { createRandom, randomInt, shuffled } from '../numerics/random';
import type { TokenSequences } from '../numerics/tokens';
import type { TaskOptions } from '../task';
import type { Tokenizer } from './tokenizer';

export interface SequenceRequest {
  readonly protocol: 'evaluation' | 'calibration';
  /** 'stories' needs a tokenizer with a token that begins a text. */
  readonly kind: 'text' | 'stories';
  /** Tokens per sequence, at least 2: one to see, one to predict. */
  readonly seqLen: number;
  /** Sequences to take; without it evaluation takes all, calibration 10. */
  readonly samples?: number | undefined;
  /** Evaluation of a running text: tokens from one sequence's start to the next; by default seqLen, without overlap. */
  readonly stride?: number | undefined;
  /** Calibration: which sequences. */
  readonly seed?: number | undefined;
}

/** Samples that the paper calibrates on. */
const defaultSamples = 10;
const maxSeqLen = 2 ** 20;

/** Sequences of a text by one of the protocols above. Throws 'bad-argument' when the text is too short. */
export async function sequencesFromText(
  tokenizer: Tokenizer,
  text: string,
  request: SequenceRequest,
  task: TaskOptions = {},
): Promise<number[][]> {
  if (request.kind === 'text') return sequencesFromTokens(await tokenizer.encode(text, task), request);
  const { seqLen, samples, random } = checked(request);
  const stories = await storyTokens(tokenizer, text, task);
  if (request.protocol === 'evaluation') return enough(storiesInOrder(stories, seqLen, samples), 1, request);
  const order = shuffled(random, [...stories.keys()]);
  return enough(storiesAtRandom(stories, order, seqLen, samples!), samples!, request);
}

/** The same of a running text that is tokenised already. */
export function sequencesFromTokens(ids: readonly number[], request: Omit<SequenceRequest, 'kind'>): number[][] {
  const { seqLen, stride, samples, random } = checked(request);
  if (request.protocol === 'evaluation') return enough(inOrder(ids, seqLen, stride, samples), 1, request);
  return enough(
    atRandom(ids, seqLen, samples!, (n) => randomInt(random, n)),
    samples!,
    request,
  );
}

function checked(request: Omit<SequenceRequest, 'kind'>) {
  const { seqLen, stride = seqLen } = request;
  checkInteger('seqLen', seqLen, 2, maxSeqLen);
  checkInteger('stride', stride, 1, maxSeqLen);
  const samples = request.samples ?? (request.protocol === 'calibration' ? defaultSamples : undefined);
  if (samples !== undefined) checkInteger('samples', samples, 1, Number.MAX_SAFE_INTEGER);
  return { seqLen, stride, samples, random: createRandom(request.seed ?? 0) };
}

/** Sequences [i·stride, i·stride + seqLen); the last partial one is dropped. */
function inOrder(
  ids: readonly number[],
  seqLen: number,
  stride: number,
  samples = Number.POSITIVE_INFINITY,
): number[][] {
  const sequences: number[][] = [];
  for (let start = 0; start + seqLen <= ids.length && sequences.length < samples; start += stride) {
    sequences.push(ids.slice(start, start + seqLen));
  }
  return sequences;
}

/**
 * Sequences that do not overlap, at places drawn uniformly among all such choices, in random order: the tokens in no
 * sequence are dealt out as gaps (a random point for each sequence on the line of spare tokens, sorted).
 */
function atRandom(ids: readonly number[], seqLen: number, samples: number, draw: (n: number) => number): number[][] {
  const spare = ids.length - samples * seqLen;
  if (spare < 0) return inOrder(ids, seqLen, seqLen);
  const gaps = Array.from({ length: samples }, () => draw(spare + 1)).sort((a, b) => a - b);
  return gaps.map((gap, index) => ids.slice(gap + index * seqLen, gap + (index + 1) * seqLen));
}

/** Each sequence begins with the first story that no sequence has used. */
function storiesInOrder(stories: TokenSequences, seqLen: number, samples = Number.POSITIVE_INFINITY): number[][] {
  const sequences: number[][] = [];
  let next = 0;
  while (sequences.length < samples) {
    const filled = fill(stories, next, seqLen);
    if (!filled) break;
    sequences.push(filled.sequence);
    next = filled.next;
  }
  return sequences;
}

/** Sequences that begin at the stories of `order`, skipping those that would use a story twice. */
function storiesAtRandom(
  stories: TokenSequences,
  order: readonly number[],
  seqLen: number,
  samples: number,
): number[][] {
  const used = new Set<number>();
  const sequences: number[][] = [];
  for (const first of order) {
    if (sequences.length === samples) break;
    const filled = fill(stories, first, seqLen);
    if (!filled) continue;
    const needed = Array.from({ length: filled.next - first }, (_, offset) => first + offset);
    if (needed.some((story) => used.has(story))) continue;
    for (const story of needed) used.add(story);
    sequences.push(filled.sequence);
  }
  return sequences;
}

/** seqLen tokens from the start of story `first` on, and the first story after them; null when the book ends before. */
function fill(stories: TokenSequences, first: number, seqLen: number): { sequence: number[]; next: number } | null {
  let sequence: number[] = [];
  let next = first;
  for (; sequence.length < seqLen; next++) {
    const story = stories[next];
    if (!story) return null;
    sequence = sequence.concat(story.slice(0, seqLen - sequence.length));
  }
  return { sequence, next };
}

/** `<s>` + tokens of each story of a book. Throws 'bad-tokenizer' where no token begins a text. */
async function storyTokens(tokenizer: Tokenizer, text: string, { signal }: TaskOptions): Promise<number[][]> {
  const { bosId } = tokenizer;
  if (bosId === null) {
    throw new LabError(
      'bad-tokenizer',
      'Stories start with a bos_token, and this tokenizer defines none.',
      'Use a continuous text with this model.',
    );
  }
  const stories = text
    .split(/\r?\n\s*\r?\n/)
    .map((story) => story.trim())
    .filter((story) => story !== '');
  return Promise.all(stories.map(async (story) => [bosId, ...(await tokenizer.encode(story, { signal }))]));
}

function enough(sequences: number[][], needed: number, request: Pick<SequenceRequest, 'seqLen'>): number[][] {
  if (sequences.length >= needed) return sequences;
  throw new LabError(
    'bad-argument',
    `The text gives ${sequences.length} sequences of ${request.seqLen} tokens, expected at least ${needed}.`,
    'Use a longer text, fewer samples or a smaller seqLen.',
  );
}

export function checkInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new LabError(
    'bad-argument',
    `${name}: expected a whole number from ${min} to ${max}, got ${value}.`,
    `Give another ${name}.`,
  );
}

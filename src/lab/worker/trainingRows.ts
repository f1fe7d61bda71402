/** @file The rows of a training and its held-out sequences: of given ids, a text, instructions, or text that the base writes. */
import { LabError } from '../../errors';
import type { TrainingText } from '../../pruning/variant';
import { checkInstructions, instructionRows } from '../../retrain/alpaca';
import { hashRows, splitRows, type TrainingRow, textRows } from '../../retrain/rows';
import type { TaskOptions } from '../../task';
import type { RetrainRequest } from '../contract/retraining';
import type { Plain } from '../contract/workerSession';
import { generatedRows } from './generatedRows';
import type { Gpu } from './gpu';
import type { Sequences } from './sequences';
import { calibrationOf, type Workspace } from './workspace';

export interface TrainingData {
  readonly rows: readonly TrainingRow[];
  /** Of the order of the rows; null trains on them in the order in which they were given. */
  readonly order: number | null;
  /** As the recipe tells it: with the seed, 0 where none was used. */
  readonly seed: number;
  /** What the recipe tells of the rows. */
  readonly text: TrainingText;
  /** Held-out sequences, of which the tokens from `firstTargets` on count. */
  readonly heldOut: Sequences;
}

/** More rows than any text that a browser trains on. */
const mostRows = 1_000_000;
const defaultSeqLen = 128;

/**
 * The rows that a request of `lab.retrain` asks for. Without corpus, text, ids, instructions or generated text: the text that criteria
 * calibrate on, all of it in its order, so that the built-in evaluation text stays held out.
 * @throws LabError 'bad-argument' where the request names two texts, or one that gives no row
 */
export async function trainingData(
  workspace: Workspace,
  gpu: Gpu,
  task: TaskOptions,
  request: Plain<RetrainRequest>,
): Promise<TrainingData> {
  refuseTwoTexts(request);
  const given = request.tokenIds !== undefined;
  const seed = request.seed ?? (given ? 0 : (await calibrationOf(workspace, task)).info.seed);
  const { corpus, rows: all, facts } = await allRows(workspace, gpu, task, request, seed);
  const split = request.heldOut === undefined ? null : splitRows(all, request.heldOut, seed);
  const rows = split?.train ?? all;
  const heldOut = split
    ? heldOutOf(corpus, split.heldOut)
    : await workspace.sequences.evaluation(request.evaluation ?? {}, task);
  const seqLen = rows.reduce((longest, { tokens }) => Math.max(longest, tokens.length), 0);
  const text = { corpus, samples: rows.length, seqLen, seed, hash: hashRows(rows), ...facts };
  return {
    ...{ rows, heldOut, seed, order: given ? null : seed },
    text: request.heldOut === undefined ? text : { ...text, heldOut: request.heldOut },
  };
}

interface AllRows {
  readonly corpus: string;
  readonly rows: readonly TrainingRow[];
  /** What the recipe tells beside the sizes. */
  readonly facts: Pick<TrainingText, 'generated' | 'addBosToEvery' | 'source'>;
}

async function allRows(
  workspace: Workspace,
  gpu: Gpu,
  task: TaskOptions,
  request: Plain<RetrainRequest>,
  seed: number,
): Promise<AllRows> {
  const { model, sequences, variants } = workspace;
  const { instructions, instructionsFrom, generated, samples = mostRows, seqLen } = request;
  const { maxPositions } = model.info.shape;
  if (generated) {
    refuseBeyondContext(generated.seqLen, maxPositions);
    const rows = await generatedRows({ model, gpu, base: variants.view('base') }, { ...generated, seed }, task);
    const { temperature = 1, topK } = generated;
    return { corpus: 'generated', rows, facts: { generated: { temperature, ...(topK !== undefined && { topK }) } } };
  }
  if (instructions) {
    const longest = seqLen ?? Math.min(defaultSeqLen, maxPositions);
    refuseBeyondContext(longest, maxPositions);
    const tokenizer = model.requireTokenizer();
    const end = tokenizer.eosId ?? model.endsOfText[0] ?? null;
    const pairs = checkInstructions(instructions).slice(0, samples);
    const { rows } = await instructionRows(tokenizer, pairs, { ...task, seqLen: longest, end });
    return { corpus: 'instructions', rows, facts: instructionsFrom === undefined ? {} : { source: instructionsFrom } };
  }
  const { corpus = 'calibration', text, tokenIds, hub, addBosToEvery } = request;
  const asked = { corpus, text, tokenIds, seqLen, hub, addBosToEvery, samples };
  const found = await sequences.evaluation(defined(asked), task);
  const facts = addBosToEvery ? { addBosToEvery } : {};
  return { corpus: found.text.corpus, rows: textRows(found.tokens), facts };
}

function heldOutOf(corpus: string, rows: readonly TrainingRow[]): Sequences {
  const tokens = rows.map((row) => [...row.tokens]);
  const seqLen = tokens.reduce((longest, { length }) => Math.max(longest, length), 0);
  const text = { corpus: `${corpus}, held out`, sequences: rows.length, seqLen, hash: hashRows(rows) };
  return { tokens, firstTargets: rows.map(({ firstTarget }) => firstTarget), text };
}

function refuseTwoTexts(request: Plain<RetrainRequest>): void {
  const ways = (['corpus', 'text', 'tokenIds', 'instructions', 'generated'] as const).filter(
    (way) => request[way] !== undefined,
  );
  if (ways.length > 1) {
    throw new LabError(
      'bad-argument',
      `retrain: expected one of corpus, text, tokenIds, instructions and generated, got ${ways.join(' and ')}.`,
      'Name one text to train on.',
    );
  }
  if (request.heldOut === undefined) return;
  const other = request.evaluation !== undefined ? 'evaluation' : request.tokenIds !== undefined ? 'tokenIds' : null;
  if (other === null) return;
  throw new LabError(
    'bad-argument',
    `retrain: heldOut holds rows of the text out, and cannot go with ${other}.`,
    other === 'evaluation'
      ? 'Give either heldOut or evaluation.'
      : 'Given ids are trained on as they come: pass the held-out ones as evaluation.',
  );
}

function refuseBeyondContext(seqLen: number, context: number): void {
  if (seqLen <= context) return;
  throw new LabError(
    'bad-argument',
    `seqLen: the model's context is ${context} tokens, got ${seqLen}.`,
    'Use a smaller seqLen.',
  );
}

/** The options that were given. */
function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/**
 * @file Instructions with responses as rows to train on, in the form of Stanford Alpaca. The loss counts on the response alone, as
 * where a label of −100 hides the prompt from PyTorch's cross entropy.
 */
import { LabError, throwIfAborted } from '../errors';
import { breathe, type TaskOptions } from '../task';
import type { Tokenizer } from '../text/tokenizer';
import type { TrainingRow } from './rows';

/** An instruction with its response, as in Alpaca's data; the loss is that of the response alone. */
export interface Instruction {
  instruction: string;
  input?: string;
  output: string;
}

const withInput =
  'Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.';
const withoutInput =
  'Below is an instruction that describes a task. Write a response that appropriately completes the request.';

/** The text before the response. An empty input is none. */
export function alpacaPrompt({ instruction, input = '' }: Omit<Instruction, 'output'>): string {
  const parts = [
    input === '' ? withoutInput : withInput,
    `### Instruction:\n${instruction}`,
    ...(input === '' ? [] : [`### Input:\n${input}`]),
    '### Response:\n',
  ];
  return parts.join('\n\n');
}

export interface InstructionOptions extends TaskOptions {
  /** Longest row; what is longer is cut at its end. */
  readonly seqLen: number;
  /** The token that ends a response; none is appended where it is null. */
  readonly end: number | null;
}

export interface InstructionRows {
  readonly rows: readonly TrainingRow[];
  /** Pairs whose prompt fills the row, so that no token of the response is left. */
  readonly tooLong: number;
}

/**
 * One row a pair: prompt and response tokenised as one text with the tokenizer's special tokens, cut to `seqLen`, then the end token
 * where there is room. Rows have lengths of their own.
 * @throws LabError 'bad-argument' where no pair has a row
 */
export async function instructionRows(
  tokenizer: Pick<Tokenizer, 'encode'>,
  pairs: readonly Instruction[],
  { seqLen, end, signal, onProgress }: InstructionOptions,
): Promise<InstructionRows> {
  const rows: TrainingRow[] = [];
  for (const [index, pair] of pairs.entries()) {
    if (index % 64 === 0) {
      await breathe();
      throwIfAborted(signal, 'Reading the instructions');
      onProgress?.({ stage: 'Reading the instructions', done: index, total: pairs.length, unit: 'pairs' });
    }
    const row = await instructionRow(tokenizer, pair, seqLen, end, signal);
    if (row) rows.push(row);
  }
  if (rows.length > 0) return { rows, tooLong: pairs.length - rows.length };
  throw new LabError(
    'bad-argument',
    `instructions: expected a pair whose prompt has fewer than seqLen = ${seqLen} tokens, got ${pairs.length} that are longer.`,
    'Use a larger seqLen, or shorter instructions. The words around an instruction take about 40 tokens.',
  );
}

async function instructionRow(
  tokenizer: Pick<Tokenizer, 'encode'>,
  pair: Instruction,
  seqLen: number,
  end: number | null,
  signal: AbortSignal | undefined,
): Promise<TrainingRow | null> {
  const prompt = alpacaPrompt(pair);
  const before = await tokenizer.encode(prompt, { specialTokens: true, signal });
  const whole = await tokenizer.encode(prompt + pair.output, { specialTokens: true, signal });
  const tokens = whole.slice(0, seqLen);
  if (end !== null && tokens.length < seqLen && tokens.at(-1) !== end) tokens.push(end);
  // A token may span the end of the prompt and the start of the response: it counts.
  let firstTarget = 0;
  while (firstTarget < before.length && before[firstTarget] === tokens[firstTarget]) firstTarget++;
  // A tokenizer that ends every text ends the prompt too; the response takes the place of that token.
  firstTarget = Math.max(1, firstTarget);
  return firstTarget < tokens.length ? { tokens, firstTarget } : null;
}

/** Most pairs, and most characters of each field. */
export const mostInstructions = 100_000;
const mostCharacters = 2 ** 20;

/**
 * Pairs from outside: {instruction, input?, output}, with or without other fields.
 * @param where names the pair in errors, such as 'line 3'
 * @throws LabError 'bad-argument'
 */
export function checkInstruction(value: unknown, where: string): Instruction {
  const bad = (what: string): LabError =>
    new LabError(
      'bad-argument',
      `instructions, ${where}: ${what}.`,
      'Write each pair as {"instruction": "…", "input": "…", "output": "…"}; the input may be left out.',
    );
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('expected an object');
  const fields = value as Readonly<Record<string, unknown>>;
  const text = (name: string, optional = false): string => {
    const field = fields[name];
    if (optional && (field === undefined || field === null)) return '';
    if (typeof field !== 'string') throw bad(`expected a string in the field '${name}', got ${kindOf(field)}`);
    if (field.length <= mostCharacters) return field;
    throw bad(`expected at most ${mostCharacters} characters in '${name}', got ${field.length}`);
  };
  return { instruction: text('instruction'), input: text('input', true), output: text('output') };
}

/** @throws LabError 'bad-argument' */
export function checkInstructions(value: unknown): Instruction[] {
  if (Array.isArray(value) && value.length > 0 && value.length <= mostInstructions) {
    return value.map((each, index) => checkInstruction(each, `pair ${index + 1}`));
  }
  throw new LabError(
    'bad-argument',
    `instructions: expected 1 to ${mostInstructions} pairs, got ${Array.isArray(value) ? value.length : kindOf(value)}.`,
    'Pass [{ instruction, input, output }, …].',
  );
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

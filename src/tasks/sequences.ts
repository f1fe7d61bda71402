/**
 * @file Questions as token sequences, by the rule of lm-evaluation-harness: the context and the context with its answer are
 * tokenized whole, and the answer's tokens are those beyond the context's count.
 */
import { LabError, throwIfAborted } from '../errors';
import type { TokenSequences } from '../numerics/tokens';
import type { TaskOptions } from '../task';
import type { Tokenizer } from '../text/tokenizer';
import type { Task, TaskItem } from './item';

/** The sequences of a question, one an answer. */
export interface ItemSequences {
  /** Token ids of context and answer [choices][length]; a context that is too long has lost its first tokens. */
  readonly sequences: TokenSequences;
  /** Index of each answer's first token in its sequence, at least 1 [choices]. */
  readonly firstTargets: readonly number[];
}

type Encoder = Pick<Tokenizer, 'encode' | 'bosId' | 'eosId' | 'addsBos'>;

/**
 * @param longest tokens of a sequence: the model's context
 * @throws LabError 'bad-argument' that names an answer with more tokens than that, or with none; 'bad-tokenizer' where a question
 * without context needs a token to begin with, and the tokenizer has none
 */
export async function taskSequences(
  tokenizer: Encoder,
  { name, items }: Task,
  longest: number,
  { signal, onProgress }: TaskOptions = {},
): Promise<ItemSequences[]> {
  const asked: ItemSequences[] = [];
  for (const [index, item] of items.entries()) {
    if (index % 100 === 0) {
      throwIfAborted(signal, 'Reading the questions');
      onProgress?.({ stage: 'Reading the questions', done: index, total: items.length, unit: 'questions' });
    }
    asked.push(await itemSequences(tokenizer, item, longest, `${name}, question ${index + 1}`, signal));
  }
  return asked;
}

async function itemSequences(
  tokenizer: Encoder,
  { context, separator, choices }: TaskItem,
  longest: number,
  where: string,
  signal: AbortSignal | undefined,
): Promise<ItemSequences> {
  const encode = async (text: string): Promise<number[]> => [
    ...(tokenizer.addsBos ? [tokenizer.bosId!] : []),
    ...(await tokenizer.encode(text, { signal })),
  ];
  // Spaces at the end of a context belong to the answer: most tokenizers join a space to the word behind it.
  const tokensOf = async (seen: string): Promise<number> => (seen === '' ? 0 : (await encode(seen)).length);
  const shared = typeof context === 'string' ? await tokensOf(context.trimEnd()) : null;
  const sequences: number[][] = [];
  const firstTargets: number[] = [];
  for (const [index, choice] of choices.entries()) {
    const place = `${where}, answer ${index + 1}`;
    const own = typeof context === 'string' ? context : context[index]!;
    const before = shared ?? (await tokensOf(own.trimEnd()));
    const whole = await encode(own + separator + choice);
    const { tokens, first } = before > 0 ? { tokens: whole, first: before } : begun(tokenizer, whole, place);
    const answer = tokens.length - first;
    if (answer < 1 || answer >= longest) {
      const message = `${place}: expected 1 to ${longest - 1} tokens beyond the question, got ${answer}.`;
      throw new LabError('bad-argument', message, 'Leave this question out, or use a model with a longer context.');
    }
    const cut = Math.max(0, tokens.length - longest);
    sequences.push(tokens.slice(cut));
    firstTargets.push(first - cut);
  }
  return { sequences, firstTargets };
}

/** A text without context: its first token follows the one that begins a text, else the one that ends the text before. */
function begun(
  { addsBos, bosId, eosId }: Encoder,
  tokens: readonly number[],
  place: string,
): { tokens: readonly number[]; first: number } {
  if (addsBos) return { tokens, first: 1 };
  const start = bosId ?? eosId;
  if (start !== null) return { tokens: [start, ...tokens], first: 1 };
  throw new LabError(
    'bad-tokenizer',
    `${place}: expected a context, or a tokenizer with a token that begins or ends a text, got neither.`,
    'Ask this model questions with a context.',
  );
}

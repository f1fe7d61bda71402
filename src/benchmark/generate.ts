/** @file Text, token by token, by whatever computes logits: a session of ONNX Runtime, or the WGSL engine. */
import { LabError, throwIfAborted } from '../errors';
import { createRandom } from '../numerics/random';
import { breathe, type TaskOptions } from '../task';
import { type Sampling, sampleToken } from './sampling';
import type { OrtSession } from './session';

export interface GenerateTokensOptions extends Sampling, TaskOptions {
  newTokens?: number | undefined;
  seed?: number | undefined;
  /** Ids that end the text; the one that did is the last of the result. */
  stopTokens?: readonly number[] | undefined;
  /** Hears each new token at once. */
  onToken?: ((id: number) => void) | undefined;
}

/** A text whose tokens so far are kept as keys and values. */
export interface OpenText {
  /** Takes tokens behind those before: logits [vocab] of the one that follows the last. One call at a time. */
  logits(tokens: readonly number[], task: TaskOptions): Promise<Float32Array>;
  /** Frees what is kept. */
  close(): void;
}

/** A model that can write. */
export interface TextModel {
  /** Tokens of the longest text. */
  readonly maxPositions: number;
  /** A new text of at most so many tokens. */
  open(positions: number): OpenText;
}

/** Continues `prompt`; stops after `newTokens`, at a stop token, or at the end of the model's context. */
export async function continueText(
  model: TextModel,
  prompt: readonly number[],
  options: GenerateTokensOptions = {},
): Promise<number[]> {
  const { newTokens = 64, seed = 0, stopTokens = [], onToken, signal, onProgress } = options;
  if (prompt.length === 0) {
    throw new LabError(
      'bad-argument',
      'Generation needs at least one prompt token; got none.',
      'Enter a prompt of a few words.',
    );
  }
  const { maxPositions } = model;
  if (prompt.length > maxPositions) {
    throw new LabError(
      'bad-argument',
      `Generation: a prompt of ${prompt.length} tokens exceeds the context of ${maxPositions}.`,
      'Shorten the prompt.',
    );
  }
  // The last token is not fed back, so it needs no position.
  const count = Math.min(newTokens, maxPositions - prompt.length + 1);
  const random = createRandom(seed);
  const text = model.open(prompt.length + count - 1);
  const generated: number[] = [];
  try {
    let tokens = prompt;
    while (generated.length < count) {
      await breathe();
      throwIfAborted(signal, 'Generation');
      const logits = await text.logits(tokens, { signal, onProgress });
      const id = sampleToken(logits, options, random);
      generated.push(id);
      onToken?.(id);
      onProgress?.({ stage: 'Writing', done: generated.length, total: count, unit: 'tokens' });
      if (stopTokens.includes(id)) break;
      tokens = [id];
    }
  } finally {
    text.close();
  }
  return generated;
}

/** A session of ONNX Runtime as a model that can write. */
export function sessionText(session: OrtSession): TextModel {
  const maxPositions = Math.min(session.shape.maxPositions, session.graph.report.maxPositions);
  const open = (positions: number): OpenText => {
    const cache = session.openCache(1, positions);
    return {
      logits: (tokens, { signal }) => session.forward({ tokens, batch: 1, rows: [tokens.length - 1], cache, signal }),
      close: () => cache.dispose(),
    };
  };
  return { maxPositions, open };
}

/** Continues a prompt with a session of ONNX Runtime. */
export function generateTokens(
  session: OrtSession,
  prompt: readonly number[],
  options: GenerateTokensOptions = {},
): Promise<number[]> {
  return continueText(sessionText(session), prompt, options);
}

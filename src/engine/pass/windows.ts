/** @file Windows of tokens as batches: sorted by length and padded, so that one launch serves many. */
import { LabError } from '../../errors';

/** Sequences of one padded length. Causality keeps the padding behind a window from reaching into it. */
export interface Batch {
  /** Which windows these are, as indices of the call's list. */
  readonly windows: readonly number[];
  /** Length of each window without padding. */
  readonly lengths: readonly number[];
  readonly seqLen: number;
  /** Token ids [windows.length, seqLen]; padding is 0. */
  readonly tokens: Uint32Array<ArrayBuffer>;
  /** The token that follows each row [windows.length, seqLen]; 0 where none does: that row's loss is not read. */
  readonly targets: Uint32Array<ArrayBuffer>;
}

/** Refuses windows that are not lists of token ids. */
export function checkWindows(windows: readonly (readonly number[])[], vocab: number): void {
  const refuse = (message: string): never => {
    throw new LabError('bad-argument', message, 'Give windows of token ids from this model’s own tokenizer.');
  };
  if (windows.length === 0) refuse('windows: expected at least one, got none.');
  windows.forEach((window, index) => {
    if (window.length === 0) refuse(`window ${index}: expected at least one token, got none.`);
    const at = window.findIndex((token) => !(Number.isInteger(token) && token >= 0 && token < vocab));
    if (at >= 0) refuse(`window ${index}, token ${at}: expected an integer in [0, ${vocab}), got ${window[at]}.`);
  });
}

/** How many tokens have a predecessor and so a loss. */
export function predictedTokens(windows: readonly (readonly number[])[]): number {
  return windows.reduce((sum, window) => sum + window.length - 1, 0);
}

/** Batches of at most `maxRows` rows (one window at least), in which padding is at most a quarter of a row's length. */
export function makeBatches(windows: readonly (readonly number[])[], maxRows: number): Batch[] {
  const order = windows.map((_, index) => index).sort((a, b) => windows[b]!.length - windows[a]!.length || a - b);
  const batches: Batch[] = [];
  for (let first = 0; first < order.length; ) {
    const seqLen = windows[order[first]!]!.length;
    const most = first + Math.max(1, Math.floor(maxRows / seqLen));
    let end = first + 1;
    while (end < Math.min(most, order.length) && windows[order[end]!]!.length >= seqLen * 0.75) end++;
    batches.push(pad(windows, order.slice(first, end), seqLen));
    first = end;
  }
  return batches;
}

function pad(windows: readonly (readonly number[])[], chosen: readonly number[], seqLen: number): Batch {
  const tokens = new Uint32Array(chosen.length * seqLen);
  const targets = new Uint32Array(chosen.length * seqLen);
  chosen.forEach((index, sequence) => {
    const window = windows[index]!;
    tokens.set(window, sequence * seqLen);
    targets.set(window.slice(1), sequence * seqLen);
  });
  return { windows: chosen, lengths: chosen.map((index) => windows[index]!.length), seqLen, tokens, targets };
}

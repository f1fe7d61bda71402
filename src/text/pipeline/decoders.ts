/** @file Decoders of tokenizer.json: tokens → text, as Hugging Face's tokenizers 0.23 (Rust) joins them. */
import { badTokenizer, checkGrowth, growthLimit, maxSteps } from './bounds';
import { bytesOfToken, textOfBytes } from './characters';
import { replaced } from './normalizers';
import { finder } from './pattern';
import type { DecoderJson } from './schema';

export type Decode = (tokens: readonly string[]) => string;

/** One function of a decoder and all its steps. Throws 'bad-tokenizer'. */
export function decoderOf(json: DecoderJson | null): Decode {
  if (json === null) return (tokens) => tokens.join(' ');
  const steps = flat(json);
  if (steps.length > maxSteps) {
    throw badTokenizer(`tokenizer.json: decoder: expected at most ${maxSteps} steps, got ${steps.length}`);
  }
  const run = steps.map((step) => ({ type: step.type, step: stepOf(step) }));
  return (tokens) => {
    const limit = growthLimit(lengthOf(tokens));
    let made = tokens;
    for (const { type, step } of run) {
      made = step(made, limit);
      checkGrowth(lengthOf(made), limit, `the decoder's step ${type}`);
    }
    return made.join('');
  };
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

type Step = Exclude<DecoderJson, { type: 'Sequence' }>;

function flat(json: DecoderJson): Step[] {
  return json.type === 'Sequence' ? json.decoders.flatMap(flat) : [json];
}

function stepOf(json: Step): (tokens: readonly string[], limit: number) => readonly string[] {
  switch (json.type) {
    case 'ByteLevel':
      return (tokens) => [textOfBytes(joinedBytes(tokens.map(bytesOfToken)))];
    case 'ByteFallback':
      return byteFallback;
    case 'Fuse':
      return (tokens) => [tokens.join('')];
    case 'BPEDecoder':
      return (tokens) =>
        tokens.map((token, index) => token.replaceAll(json.suffix, index === tokens.length - 1 ? '' : ' '));
    case 'CTC':
      return (tokens) => ctc(tokens, json);
    case 'Replace': {
      const find = finder(json.pattern, 'decoder Replace');
      return (tokens, limit) => tokens.map((token) => replaced(token, find, json.content, limit));
    }
    case 'Strip':
      return (tokens) => tokens.map((token) => stripped(token, json));
    case 'WordPiece':
      return (tokens) =>
        tokens.map((token, index) => {
          let text = token;
          if (index > 0) {
            text = token.startsWith(json.prefix) ? token.slice(json.prefix.length) : ` ${token}`;
          }
          return json.cleanup ? cleanup(text) : text;
        });
    case 'Metaspace':
      return (tokens) =>
        tokens.map((token, index) =>
          token.replaceAll(json.replacement, index === 0 && json.prepend_scheme !== 'never' ? '' : ' '),
        );
  }
}

/** Runs of tokens such as <0x0A> become the text of their bytes; what is no UTF-8, one U+FFFD a byte. */
function byteFallback(tokens: readonly string[]): string[] {
  const made: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length === 0) return;
    const given = Uint8Array.from(bytes);
    try {
      made.push(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(given));
    } catch {
      for (const _ of bytes) made.push('\ufffd');
    }
    bytes = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9a-fA-F]{2})>$/.exec(token)?.[1];
    if (byte !== undefined) bytes.push(Number.parseInt(byte, 16));
    else {
      flush();
      made.push(token);
    }
  }
  flush();
  return made;
}

function stripped(token: string, { content, start, stop }: Extract<Step, { type: 'Strip' }>): string {
  const characters = [...token];
  let from = 0;
  while (from < Math.min(start, characters.length) && characters[from] === content) from += 1;
  let to = characters.length;
  while (characters.length - to < stop && to > from && characters[to - 1] === content) to -= 1;
  return characters.slice(from, to).join('');
}

function ctc(
  tokens: readonly string[],
  { pad_token, word_delimiter_token, cleanup: tidy }: Extract<Step, { type: 'CTC' }>,
): string[] {
  const without = (text: string, gone: string, instead: string): string =>
    gone === '' ? text : text.replaceAll(gone, instead);
  return tokens
    .filter((token, index) => token !== tokens[index - 1])
    .map((token) => {
      const text = without(token, pad_token, '');
      return tidy ? without(cleanup(text), word_delimiter_token, ' ') : text;
    })
    .filter((text) => text !== '');
}

/** Spaces before marks go, as in the decoder of WordPiece. */
export function cleanup(text: string): string {
  return text
    .replaceAll(' .', '.')
    .replaceAll(' ?', '?')
    .replaceAll(' !', '!')
    .replaceAll(' ,', ',')
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(' do not', " don't")
    .replaceAll(" 's", "'s")
    .replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re");
}

function joinedBytes(parts: readonly (number[] | Uint8Array)[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

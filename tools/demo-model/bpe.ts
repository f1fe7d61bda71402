/**
 * @file A small byte-level BPE trainer (Sennrich et al., 2016; bytes as in GPT-2), and the tokenizer.json it makes.
 *
 * Every byte is in the vocabulary, so any text can be encoded. Merges are learnt from word counts; the corpus of the
 * stories has few distinct words, so the plain quadratic way is quick.
 */

/** GPT-2's split of a text into words, numbers, punctuation and white space; the space goes with the next word. */
const GPT2_WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

export const SPECIAL_TOKENS = ['<s>', '</s>'];

export interface Bpe {
  /** token → id */
  vocab: Map<string, number>;
  /** in the order learnt, the two halves as written in the vocabulary */
  merges: [string, string][];
}

/** GPT-2's one printable character for each byte. */
export function byteAlphabet(): string[] {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}

/** The words of a text, each with the space before it. */
export function wordsOf(text: string): string[] {
  return text.match(GPT2_WORDS) ?? [];
}

/** How often each word (with its leading space) occurs in the texts. */
export function countWords(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/** Learn merges until the vocabulary is full or no pair occurs `minCount` times. */
export function trainBpe(counts: Map<string, number>, vocabSize: number, minCount = 2): Bpe {
  const alphabet = byteAlphabet();
  const encoder = new TextEncoder();
  const words = [...counts].map(([word, count]) => ({
    count,
    symbols: Array.from(encoder.encode(word), (byte) => alphabet[byte] as string),
  }));
  const vocab = new Map([...SPECIAL_TOKENS, ...alphabet].map((token, id) => [token, id]));
  const merges: [string, string][] = [];
  while (vocab.size < vocabSize) {
    const best = mostFrequentPair(words);
    if (!best || best.count < minCount) break;
    const [left, right] = best.pair;
    merges.push([left, right]);
    if (!vocab.has(left + right)) vocab.set(left + right, vocab.size);
    for (const word of words) word.symbols = mergePair(word.symbols, left, right);
  }
  return { vocab, merges };
}

/** The tokenizer.json of Hugging Face's tokenizers for this vocabulary. */
export function tokenizerJson({ vocab, merges }: Bpe): object {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: startOfText(),
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocab),
      merges: merges.map((pair) => pair.join(' ')),
    },
  };
}

/** `<s>` before a text: beside a tokenizer.json, readers do not hear tokenizer_config.json's add_bos_token. */
function startOfText(): object {
  const [token] = SPECIAL_TOKENS as [string];
  const sequence = (part: 'A' | 'B', type_id: number) => [
    { SpecialToken: { id: token, type_id } },
    { Sequence: { id: part, type_id } },
  ];
  return {
    type: 'TemplateProcessing',
    single: sequence('A', 0),
    pair: [...sequence('A', 0), ...sequence('B', 1)],
    special_tokens: { [token]: { id: token, ids: [0], tokens: [token] } },
  };
}

type CountedWord = { count: number; symbols: string[] };

/** Ties go to the pair that is first in the alphabet, so that training is deterministic. */
function mostFrequentPair(words: CountedWord[]): { pair: [string, string]; count: number } | undefined {
  const counts = new Map<string, number>();
  for (const { count, symbols } of words) {
    for (let i = 0; i + 1 < symbols.length; i++) {
      const key = `${symbols[i]} ${symbols[i + 1]}`; // no symbol holds a space: byte 32 is written Ġ
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
  }
  let best: [string, number] | undefined;
  for (const entry of counts) {
    if (!best || entry[1] > best[1] || (entry[1] === best[1] && entry[0] < best[0])) best = entry;
  }
  return best && { pair: best[0].split(' ') as [string, string], count: best[1] };
}

function mergePair(symbols: string[], left: string, right: string): string[] {
  const merged: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      merged.push(left + right);
      i++;
    } else merged.push(symbols[i] as string);
  }
  return merged;
}

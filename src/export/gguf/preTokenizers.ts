/**
 * @file How llama.cpp cuts a text before it merges bytes: only by lists of patterns that it knows by name (`tokenizer.ggml.pre`).
 * The name follows from the pre-tokenizer of tokenizer.json; another one is refused, since tokens would differ silently.
 */
import type { PreTokenizerJson } from '../../text/pipeline/schema';

/** The pattern of Llama 3 and OLMo 2: numbers of up to three digits. */
const llama3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
/** The same with single digits: Qwen's. */
const qwen2 = llama3.replace('\\p{N}{1,3}', '\\p{N}');
/** Mistral NeMo's, which tells large letters from small ones. */
const tekken =
  '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

interface Known {
  readonly pre: string;
  /** As `stepsOf` writes them. */
  readonly steps: string;
  /** llama.cpp takes a whole piece that the vocabulary has without merging. */
  readonly ignoresMerges: boolean;
}

const bytes = 'bytes';
const wordsThenBytes = 'words, bytes';
const known: readonly Known[] = [
  { pre: 'gpt-2', steps: wordsThenBytes, ignoresMerges: false },
  { pre: 'smollm', steps: `digits, ${wordsThenBytes}`, ignoresMerges: false },
  { pre: 'llama-bpe', steps: `${llama3}, ${bytes}`, ignoresMerges: true },
  { pre: 'dbrx', steps: `${llama3}, ${bytes}`, ignoresMerges: false },
  { pre: 'qwen2', steps: `${qwen2}, ${bytes}`, ignoresMerges: false },
  { pre: 'tekken', steps: `${tekken}, ${bytes}`, ignoresMerges: true },
];

/** Names of all that are known, for messages. */
export const knownPreTokenizers: readonly string[] = known.map(({ pre }) => pre);

/** llama.cpp's name of a pre-tokenizer of bytes; null where it has none. */
export function preTokenizerName(json: PreTokenizerJson | null, ignoresMerges: boolean): string | null {
  const steps = json === null ? '' : stepsOf(json);
  return known.find((each) => each.steps === steps && each.ignoresMerges === ignoresMerges)?.pre ?? null;
}

/** The steps of a pre-tokenizer as one text: equal for those that cut every text alike. */
function stepsOf(json: PreTokenizerJson): string {
  switch (json.type) {
    case 'Sequence':
      return json.pretokenizers.map(stepsOf).join(', ');
    case 'ByteLevel':
      if (json.add_prefix_space) return 'a space in front';
      return json.use_regex ? wordsThenBytes : bytes;
    case 'Digits':
      return json.individual_digits ? 'digits' : 'numbers';
    case 'Split':
      // {1} says nothing: Qwen's files have it or not.
      return 'Regex' in json.pattern && json.behavior === 'Isolated' && !json.invert
        ? json.pattern.Regex.replaceAll('{1}', '')
        : 'another split';
    default:
      return json.type;
  }
}

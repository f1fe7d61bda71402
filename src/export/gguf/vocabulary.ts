/**
 * @file The tokenizer of a GGUF file: tokens, their types, and merges (bytes: 'gpt2') or scores (sentencepiece: 'llama'). llama.cpp
 * has these two kinds of BPE only. What it would read in another way than tokenizer.json says is refused.
 */
import * as v from 'valibot';
import { LabError } from '../../errors';
import { parseJson } from '../../io/json';
import { parsed } from '../../text/pipeline/pipeline';
import { bpe, tokenizer as fileSchema } from '../../text/pipeline/schema';
import { type OpenedTokenizer, openTokenizer } from '../../text/tokenizer';
import { bool, f32s, type GgufPairs, i32s, string, strings, u32 } from './container';
import { knownPreTokenizers, preTokenizerName } from './preTokenizers';
import { mergeScores } from './scores';
import { spacePrefix } from './spaces';

/** llama.cpp's kinds of tokens. */
const kinds = { normal: 1, unknown: 2, control: 3, user: 4, unused: 5, byte: 6 } as const;

/** Characters of a chat template. */
const longestTemplate = 2 ** 20;

/** Every token of the embedding's rows, by id. */
interface TokenList {
  readonly texts: string[];
  readonly types: number[];
}

/**
 * The pairs of a tokenizer.
 * @param text a file that the model came with; null where it has none
 * @param vocab rows of the embedding
 * @param endsOfText ids that end a text, by the model's other files
 * @throws LabError 'not-available' where llama.cpp has no such tokenizer, 'bad-tokenizer' for files that are malformed
 */
export async function vocabularyPairs(
  text: (file: string) => Promise<string | null>,
  vocab: number,
  endsOfText: readonly number[],
): Promise<GgufPairs> {
  const read = async (file: string): Promise<unknown> => {
    const found = await text(file);
    return found === null ? null : parseJson(found, file, 'bad-tokenizer');
  };
  const json = await read('tokenizer.json');
  if (json === null) throw inexpressible('the model came without tokenizer.json');
  const config = await read('tokenizer_config.json');
  const more = {
    addedTokens: await read('added_tokens.json'),
    specialTokensMap: await read('special_tokens_map.json'),
  };
  const tokenizer = openTokenizer(json, config, vocab, more);
  return [...modelPairs(json, tokenizer, vocab), ...specialPairs(tokenizer, endsOfText), ...templatePairs(config)];
}

function modelPairs(json: unknown, tokenizer: OpenedTokenizer, vocab: number): GgufPairs {
  const { model } = tokenizer.pipeline;
  if (model.type !== 'BPE') throw inexpressible(`it is of the kind ${model.type}, not BPE`);
  const file = parsed(fileSchema, json, 'tokenizer.json', '');
  const merging = parsed(bpe, file.model, 'tokenizer.json', 'model.');
  if (merging.continuing_subword_prefix || merging.end_of_word_suffix) {
    throw inexpressible('its pieces have a prefix or a suffix within words');
  }
  const merges = merging.merges.map((merge) => (typeof merge === 'string' ? merge.split(' ') : (merge as string[])));
  const list = tokenList(tokenizer, vocab, merging.byte_fallback);
  const pairs = (name: string): GgufPairs => [
    ['tokenizer.ggml.model', string(name)],
    ['tokenizer.ggml.tokens', strings(list.texts)],
    ['tokenizer.ggml.token_type', i32s(list.types)],
  ];
  const prefix = spacePrefix(file.normalizer, file.pre_tokenizer);
  if (prefix !== null) {
    if (!merging.byte_fallback || list.types.filter((type) => type === kinds.byte).length < 256) {
      throw inexpressible('it has no tokens for single bytes, which llama.cpp takes for unknown characters');
    }
    const normal = (token: string): boolean => !tokenizer.pipeline.added.has(token);
    const scores = mergeScores(merges as [string, string][], model.vocabulary.ids, normal);
    if (typeof scores === 'string') throw inexpressible(scores);
    return [
      ...pairs('llama'),
      ['tokenizer.ggml.pre', string('default')],
      ['tokenizer.ggml.scores', f32s(list.texts.map((token) => scores.get(token) ?? 0))],
      ['tokenizer.ggml.add_space_prefix', bool(prefix)],
    ];
  }
  // Qwen's files compose characters first (NFC). llama.cpp does not: texts of composed characters give the same tokens.
  const composes = file.normalizer?.type === 'NFC';
  const pre = file.normalizer === null || composes ? preTokenizerName(file.pre_tokenizer, merging.ignore_merges) : null;
  if (pre === null || merging.byte_fallback) {
    throw inexpressible(`its normalizer and pre-tokenizer are none of those known as ${knownPreTokenizers.join(', ')}`);
  }
  return [
    ...pairs('gpt2'),
    ['tokenizer.ggml.pre', string(pre)],
    ['tokenizer.ggml.merges', strings(merges.map((merge) => merge.join(' ')))],
  ];
}

/** Rows of the embedding that no token has are named and never chosen. */
function tokenList({ pipeline, unknownId }: OpenedTokenizer, vocab: number, byteFallback: boolean): TokenList {
  const { added, model } = pipeline;
  const list: TokenList = { texts: [], types: [] };
  const taken = new Set<string>();
  for (let id = 0; id < vocab; id += 1) {
    const special = added.byId(id);
    const text = special?.content ?? model.vocabulary.tokenOf(id);
    if (text === undefined || taken.has(text)) {
      let name = `[PAD${id}]`;
      while (model.vocabulary.ids.has(name) || added.has(name)) name = `[${name}]`;
      list.texts.push(name);
      list.types.push(kinds.unused);
      continue;
    }
    taken.add(text);
    list.texts.push(text);
    if (id === unknownId && byteFallback) list.types.push(kinds.unknown);
    else if (special) list.types.push(special.special ? kinds.control : kinds.user);
    else if (byteFallback && /^<0x[0-9A-F]{2}>$/.test(text)) list.types.push(kinds.byte);
    else list.types.push(kinds.normal);
  }
  return list;
}

function specialPairs(
  { bosId, eosId, unknownId, addsBos, addsEos }: OpenedTokenizer,
  endsOfText: readonly number[],
): GgufPairs {
  const end = eosId ?? endsOfText[0] ?? null;
  const other = endsOfText.find((id) => id !== end) ?? null;
  const ids = [
    ['bos', bosId],
    ['eos', end],
    // A second end, such as the end of a turn.
    ['eot', other],
    ['unknown', unknownId],
  ] as const;
  return [
    ...ids.flatMap(([name, id]) => (id === null ? [] : [[`tokenizer.ggml.${name}_token_id`, u32(id)] as const])),
    ['tokenizer.ggml.add_bos_token', bool(addsBos)],
    ['tokenizer.ggml.add_eos_token', bool(addsEos)],
  ];
}

const named = v.object({ name: v.string(), template: v.string() });
const templated = v.object({ chat_template: v.union([v.string(), v.array(named)]) });

/** The chat template of tokenizer_config.json; of several, the one named 'default'. */
function templatePairs(config: unknown): GgufPairs {
  const found = v.safeParse(templated, config);
  if (!found.success) return [];
  const { chat_template: given } = found.output;
  const template = typeof given === 'string' ? given : given.find(({ name }) => name === 'default')?.template;
  return template === undefined || template.length > longestTemplate
    ? []
    : [['tokenizer.chat_template', string(template)]];
}

function inexpressible(why: string): LabError {
  return new LabError(
    'not-available',
    `export as 'gguf': llama.cpp has no tokenizer like this model's: ${why}.`,
    "Export to 'huggingface' or 'transformers.js', which keep tokenizer.json as it is.",
  );
}

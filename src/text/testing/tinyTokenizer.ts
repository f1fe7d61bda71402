/** @file A byte-level BPE tokenizer.json made in a test: 2 special tokens, all 256 bytes, a few merges. */

/** The printable stand-in of each byte, as GPT-2's byte-level BPE writes it. */
function byteCharacters(): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}

export const tinyMerges = ['h e', 'l l', 'he ll', 'hell o', 'Ġ w', 'o r', 'Ġw or', 'l d', 'Ġwor ld'];

/** Ids: `<s>` 0, `</s>` 1, bytes 2…257, merges from 258 on. */
export function tinyTokenizerJson(extra: object = {}): Record<string, unknown> {
  const tokens = ['<s>', '</s>', ...byteCharacters(), ...tinyMerges.map((merge) => merge.replace(' ', ''))];
  const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: ['<s>', '</s>'].map((content, id) => ({ id, content, ...special })),
    normalizer: null,
    pre_tokenizer: level,
    post_processor: null,
    decoder: level,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: tinyMerges,
    },
    ...extra,
  };
}

export const tinyVocab = 2 + 256 + tinyMerges.length;

export const tinyTokenizerConfig = { bos_token: '<s>', eos_token: { content: '</s>' }, add_bos_token: true };

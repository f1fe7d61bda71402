/** @file For tests of exports: a vocabulary of names without meaning, for models whose own tokenizer llama.cpp does not have. */
import { bool, type GgufPairs, i32s, string, strings, u32 } from '../gguf/container';

/** `vocab` tokens that no text contains. */
export function namedTokens(vocab: number): GgufPairs {
  const ids = Array.from({ length: vocab }, (_, id) => id);
  return [
    ['tokenizer.ggml.model', string('gpt2')],
    ['tokenizer.ggml.pre', string('gpt-2')],
    ['tokenizer.ggml.tokens', strings(ids.map((id) => `[T${id}]`))],
    ['tokenizer.ggml.token_type', i32s(ids.map(() => 1))],
    ['tokenizer.ggml.merges', strings(['a b'])],
    ['tokenizer.ggml.bos_token_id', u32(0)],
    ['tokenizer.ggml.eos_token_id', u32(1)],
    ['tokenizer.ggml.add_bos_token', bool(false)],
  ];
}

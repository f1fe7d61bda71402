/** @file What is put before and behind a text, where the text itself begins or ends with such a token. */
import { expect, test } from 'vitest';
import { tinyTokenizerJson, tinyVocab } from './testing/tinyTokenizer';
import { openTokenizer } from './tokenizer';

const hello = tinyVocab - 6;
const named = { bos_token: '<s>', eos_token: '</s>' };
const template = {
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [],
  special_tokens: { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } },
};

// What a user wrote stays, and what is put is put beside it.
test.each<[string, object | null, object, number[]]>([
  ['nothing', null, {}, [0, hello, 1]],
  ['a template', template, {}, [0, 0, hello, 1]],
  ['a template, whatever the configuration says', template, { add_bos_token: false }, [0, 0, hello, 1]],
])('<s>hello</s> with %s', (_, postProcessor, config, expected) => {
  const json = tinyTokenizerJson({ post_processor: postProcessor });
  const tokenizer = openTokenizer(json, { ...named, ...config }, tinyVocab);
  expect(tokenizer.encode('<s>hello</s>', { specialTokens: true })).toEqual(expected);
  expect(tokenizer.encode('<s>hello</s>')).toEqual([0, hello, 1]);
});

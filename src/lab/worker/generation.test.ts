import { expect, test } from 'vitest';
import { parseConfig } from '../../model/config';
import { tinyConfig } from '../../shards/testing/tinyModel';
import { tinyTokenizerJson, tinyVocab } from '../../text/testing/tinyTokenizer';
import { openTokenizer } from '../../text/tokenizer';
import { endsOfText, promptIds } from './generation';

const config = parseConfig({ ...tinyConfig, eos_token_id: 2 });

test('generation_config.json has the last word on where a text ends', () => {
  expect(endsOfText(null, config)).toEqual([2]);
  expect(endsOfText('{"temperature": 0.6}', config)).toEqual([2]);
  expect(endsOfText('{"eos_token_id": 3}', config)).toEqual([3]);
  expect(endsOfText('{"eos_token_id": [3, 5, 100000]}', config)).toEqual([3, 5]);
  expect(endsOfText('{"eos_token_id": null, "repetition_penalty": Infinity}', config)).toEqual([2]);
});

test.each([
  ['{"eos_token_id": 3, "bos', [2], 'generation_config.json: expected JSON'],
  ['', [2], 'expected JSON'],
  ['[3]', [2], 'is not a JSON object'],
  ['{"eos_token_id": "</s>"}', [2], 'eos_token_id "</s>" is not a token id below vocab_size 40'],
  ['{"eos_token_id": -1}', [2], 'eos_token_id -1'],
  ['{"eos_token_id": [3, 1e9, {"constructor": 1}]}', [3], 'eos_token_id 1000000000'],
  [`{"eos_token_id": ${'['.repeat(800)}${']'.repeat(800)}}`, [2], 'eos_token_id'],
])('generation_config.json %s is ignored where it says nothing, with a note', (text, ends, named) => {
  const notes: string[] = [];
  expect(endsOfText(text, config, notes)).toEqual(ends);
  expect(notes).toEqual([expect.stringContaining(named)]);
  expect(notes[0]!.length).toBeLessThan(300);
});

const hello = tinyVocab - 6;
/** tokenizer.json of Llama 3 puts the token in front itself. */
const template = {
  type: 'Sequence',
  processors: [
    { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true },
    {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } },
    },
  ],
};

const ending = {
  ...template.processors[1],
  single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
  special_tokens: { '</s>': { id: '</s>', ids: [1], tokens: ['</s>'] } },
};

test.each<[string, object | null, object, number[]]>([
  [
    'a template of one text',
    template.processors[1]!,
    { bos_token: '<s>', eos_token: '</s>', add_bos_token: true },
    [0, hello],
  ],
  ['Llama 3: a template in a sequence', template, { bos_token: '<s>', eos_token: '</s>' }, [0, hello]],
  ['SmolLM: a token is named and not put', null, { bos_token: '<s>', eos_token: '<s>' }, [hello]],
  ['Qwen: none', null, { bos_token: null, add_bos_token: false, eos_token: '</s>' }, [hello]],
  ['an end that is put is left out', ending, { eos_token: '</s>' }, [hello]],
])('%s', async (_, postProcessor, tokenizerConfig, expected) => {
  const tokenizer = openTokenizer(tinyTokenizerJson({ post_processor: postProcessor }), tokenizerConfig, tinyVocab);
  expect(await promptIds(tokenizer, 'hello', null)).toEqual(expected);
});

test('nothing to go on from: the token that begins a text, if the files name one', async () => {
  const named = openTokenizer(tinyTokenizerJson(), { bos_token: '<s>' }, tinyVocab);
  const none = openTokenizer(tinyTokenizerJson(), null, tinyVocab);
  expect(await promptIds(named, '', null)).toEqual([0]);
  expect(await promptIds(none, '', 7)).toEqual([7]);
  expect(await promptIds(none, '', null)).toEqual([]);
});

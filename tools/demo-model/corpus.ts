/**
 * @file Writes what the demo model is trained, calibrated and judged on.
 *
 *     npx tsx tools/demo-model/corpus.ts [training tokens; 0 leaves work/train.bin as it is]
 *
 * work/train.bin                       token ids, uint16 little-endian: `<s>` story `<s>` story …
 * work/{heldout,evaluation}.{bin,f32}  token ids, and the surprise (nats) of each
 * public/demo/                         tokenizer.json, tokenizer_config.json, calibration.txt, evaluation.txt
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { type Story, storyAt } from '../../src/text/stories/index';
import { BOS, createEncoder, type Encode, type Scored, scoreStories } from './account';
import { countWords, tokenizerJson, trainBpe } from './bpe';

/** Each split is a book of its own; evaluate.py names the same seeds. */
const SEEDS = { train: 1, calibration: 2, evaluation: 3, heldOut: 4 };
const TRAINING_TOKENS = 32_000_000;
const VOCAB_SIZE = 1792;
const VOCAB_STORIES = 20_000;
const HELD_OUT_STORIES = 3000;
const CALIBRATION_BYTES = 60_000;
const EVALUATION_BYTES = 120_000;
const here = fileURLToPath(new URL('.', import.meta.url));
const work = `${here}work/`;
const demo = `${here}../../public/demo/`;

const TOKENIZER_CONFIG = {
  tokenizer_class: 'PreTrainedTokenizerFast',
  add_bos_token: true,
  add_eos_token: false,
  bos_token: '<s>',
  eos_token: '</s>',
  clean_up_tokenization_spaces: false,
  model_max_length: 256,
};

function book(seed: number, count: number): Story[] {
  return Array.from({ length: count }, (_, index) => storyAt(seed, index));
}

function makeTokenizer(): Tokenizer {
  const bpe = trainBpe(countWords(book(SEEDS.train, VOCAB_STORIES).map((story) => story.text)), VOCAB_SIZE);
  const json = tokenizerJson(bpe);
  writeFileSync(`${demo}tokenizer.json`, `${JSON.stringify(json)}\n`);
  writeFileSync(`${demo}tokenizer_config.json`, `${JSON.stringify(TOKENIZER_CONFIG, null, 2)}\n`);
  console.log(`vocabulary ${bpe.vocab.size}`);
  return new Tokenizer(json, TOKENIZER_CONFIG);
}

/** Stories of a split until the text has this many bytes, with a blank line between two stories. */
function writeText(name: string, seed: number, bytes: number): Story[] {
  const stories: Story[] = [];
  for (let size = 0; size < bytes; ) {
    const story = storyAt(seed, stories.length);
    stories.push(story);
    size += story.text.length + 2;
  }
  writeFileSync(`${demo}${name}.txt`, `${stories.map((story) => story.text).join('\n\n')}\n`);
  return stories;
}

function writeScored(name: string, { ids, nats }: Scored): void {
  writeFileSync(`${work}${name}.bin`, Uint16Array.from(ids));
  writeFileSync(`${work}${name}.f32`, Float32Array.from(nats));
  const mean = nats.reduce((sum, each) => sum + each, 0) / (nats.length - 1); // the first <s> is given
  console.log(`${name}: ${ids.length} tokens, floor ${mean.toFixed(4)} nats, perplexity ${Math.exp(mean).toFixed(4)}`);
}

function writeTraining(encode: Encode, tokens: number): void {
  const ids = new Uint16Array(tokens);
  for (let used = 0, index = 0; used < tokens; index++) {
    const story = [BOS, ...encode(storyAt(SEEDS.train, index).text)].slice(0, tokens - used);
    ids.set(story, used);
    used += story.length;
  }
  writeFileSync(`${work}train.bin`, ids);
  console.log(`training: ${tokens} tokens`);
}

/** The word-by-word encoder must give what the library gives for whole stories. */
function verify(encode: Encode, tokenizer: Tokenizer): void {
  for (const { text } of book(SEEDS.evaluation, 500)) {
    const ids = tokenizer.encode(text, { add_special_tokens: false }).ids;
    if (ids.join() !== encode(text).join()) throw new Error(`word by word differs from the library: ${text}`);
    if (tokenizer.decode(ids) !== text) throw new Error(`does not survive the round trip: ${text}`);
  }
}

function main(): void {
  const tokens = Number(process.argv[2] ?? TRAINING_TOKENS);
  mkdirSync(work, { recursive: true });
  mkdirSync(demo, { recursive: true });
  const tokenizer = makeTokenizer();
  const encode = createEncoder(tokenizer);
  verify(encode, tokenizer);
  writeText('calibration', SEEDS.calibration, CALIBRATION_BYTES);
  const evaluation = writeText('evaluation', SEEDS.evaluation, EVALUATION_BYTES);
  writeScored('evaluation', scoreStories(evaluation, encode, tokenizer));
  writeScored('heldout', scoreStories(book(SEEDS.heldOut, HELD_OUT_STORIES), encode, tokenizer));
  if (tokens > 0) writeTraining(encode, tokens);
}

main();

/** @file Mutated tokenizer.model and tokenizer.bin files: a tokenizer whose ids fit, or an error that says what is wrong. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LabError } from '../../src/errors';
import { llama2cTokenizerJson } from '../../src/shards/formats/llama2cTokenizer';
import { sentencepieceJson } from '../../src/shards/formats/sentencepiece';
import { llama2cBytes } from '../../src/text/testing/llama2cFile';
import { openTokenizer } from '../../src/text/tokenizer';
import { tryTokenizer } from '../../src/text/tokenizerThread';
import { forEachMutation, fuzzTimeout, mutateBytes, pick } from './mutate';

const models = ['keep', 'trim'].map((name) => readFileSync(`tools/sentencepiece/fixtures/${name}.model`));
const binary = llama2cBytes(models[0]!);

/** Opens and tries what a reader makes of a file; an error must be a tokenizer's. */
function attempt(read: () => unknown): void {
  try {
    const tokenizer = openTokenizer(read(), { bos_token: '<s>', eos_token: '</s>' }, 400);
    tryTokenizer(tokenizer);
    for (const id of tokenizer.encode(' a\nb <s>語', { specialTokens: true })) expect(id).toBeLessThan(400);
  } catch (thrown) {
    if (!(thrown instanceof LabError)) throw thrown;
    expect(thrown.code).toBe('bad-tokenizer');
  }
}

test('mutated tokenizer.model files', { timeout: fuzzTimeout }, async () => {
  await forEachMutation((random) => {
    const bytes = mutateBytes(random, pick(random, models));
    attempt(() => sentencepieceJson(bytes));
  });
});

test('mutated tokenizer.bin files of llama2.c', { timeout: fuzzTimeout }, async () => {
  await forEachMutation((random) => {
    const bytes = mutateBytes(random, binary);
    attempt(() => llama2cTokenizerJson(bytes, 'tok.bin'));
  });
});

/** @file Mutated tokenizer.json files: ids of the vocabulary, or an error that says what is wrong. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LabError } from '../../src/errors';
import { parseJson } from '../../src/io/json';
import { openTokenizer } from '../../src/text/tokenizer';
import { tryTokenizer } from '../../src/text/tokenizerThread';
import { forEachMutation, fuzzTimeout, mutateJson, pick, pythonJson } from './mutate';

const fixtures = 'tools/tokenizers/fixtures';
const { parts, tokenizers } = JSON.parse(readFileSync(`${fixtures}/differential.json`, 'utf8')) as {
  parts: unknown[];
  tokenizers: { tokenizer: Record<string, number> }[];
};
const files = tokenizers.map(({ tokenizer }) =>
  Object.fromEntries(Object.entries(tokenizer).map(([key, place]) => [key, parts[place]])),
);
const companions = (
  JSON.parse(readFileSync(`${fixtures}/files.json`, 'utf8')) as { folders: { files: Record<string, unknown> }[] }
).folders.map((folder) => folder.files);
const vocab = 5000;
const texts = ["Hello, World! it's a\nb  <s>a</s> é日", ' the aab ab', ''];

/** As the page reads it. */
function parsed(value: unknown): unknown {
  try {
    return parseJson(pythonJson(value), 'a.json', 'bad-tokenizer');
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(LabError);
    return undefined;
  }
}

test('mutated tokenizer.json and the files beside it', { timeout: fuzzTimeout }, async () => {
  let accepted = 0;
  await forEachMutation((random) => {
    const json = parsed(mutateJson(random, pick(random, files)));
    const { config = {}, added = {}, map = {} } = pick(random, companions);
    const [changedConfig, addedTokens, specialTokensMap] = [config, added, map].map((file) =>
      parsed(pick(random, [file, file, mutateJson(random, file)])),
    );
    try {
      const tokenizer = openTokenizer(json, changedConfig, vocab, { addedTokens, specialTokensMap });
      tryTokenizer(tokenizer);
      for (const text of texts) {
        const ids = tokenizer.encode(text, { specialTokens: true });
        for (const id of ids) expect(Number.isInteger(id) && id >= 0 && id < vocab).toBe(true);
        expect(typeof tokenizer.decode(ids)).toBe('string');
      }
      accepted += 1;
    } catch (thrown) {
      if (!(thrown instanceof LabError)) throw thrown;
      expect(thrown.code).toBe('bad-tokenizer');
      expect(thrown.message.length).toBeLessThan(600);
    }
  });
  expect(accepted).toBeGreaterThan(0);
});

/** @file Damaged generation_config.json files: no number depends on them, so that none refuses a model. */
import { expect, test } from 'vitest';
import { endsOfText } from '../../src/lab/worker/generation';
import { parseConfig } from '../../src/model/config';
import { tinyConfig } from '../../src/shards/testing/tinyModel';
import { forEachMutation, fuzzTimeout, mutateJson, mutateText, pick, pythonJson } from './mutate';

const config = parseConfig({ ...tinyConfig, eos_token_id: 7 });
const files = [
  { bos_token_id: 1, eos_token_id: 2, do_sample: true, temperature: 0.6, top_p: 0.9, transformers_version: '5.0.0' },
  { bos_token_id: 1, pad_token_id: 3, eos_token_id: [2, 3, 39], max_new_tokens: 100 },
];

/** The ids that JSON.parse finds, where the file is plain JSON; null where it is not. */
function plainly(text: string): number[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return null;
  }
  const said = typeof value === 'object' && value !== null ? Reflect.get(value, 'eos_token_id') : undefined;
  const ids = (Array.isArray(said) ? said : [said]).filter((id) => [...Array(40).keys()].includes(id));
  return ids.length > 0 && !Array.isArray(value) ? [...new Set(ids)] : [7];
}

test(
  'generation_config.json with other values and other text',
  async () => {
    let taken = 0;
    await forEachMutation((random, seed) => {
      const file = pick(random, files);
      const text = seed % 2 === 0 ? pythonJson(mutateJson(random, file)) : mutateText(random, JSON.stringify(file));
      const notes: string[] = [];
      const ends = endsOfText(text, config, notes);
      const expected = plainly(text);
      if (expected) expect(ends).toEqual(expected);
      else expect(ends.every((id) => Number.isInteger(id) && id >= 0 && id < 40)).toBe(true);
      for (const note of notes) expect(note.length).toBeLessThan(400);
      if (expected && !expected.includes(7)) taken += 1;
    });
    expect(taken).toBeGreaterThan(0);
  },
  fuzzTimeout,
);

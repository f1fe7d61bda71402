import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LabError } from '../../errors';
import { Pipeline } from './pipeline';

/**
 * Ids without and with the post-processor's tokens, the text of the former with special tokens and without (null where
 * tokenizers itself fails); or why not.
 */
type Case = [ids: number[], special: number[], decoded: string | null, skipped: string | null] | string;

interface Fixture {
  texts: string[];
  parts: unknown[];
  tokenizers: { name: string; tokenizer: Record<string, number>; cases?: number[]; refused?: string }[];
}

const path =
  process.env['SECATEUR_DIFFERENTIAL'] ??
  new URL('../../../tools/tokenizers/fixtures/differential.json', import.meta.url);
const { texts, parts, tokenizers } = JSON.parse(readFileSync(path, 'utf8')) as Fixture;

const file = (places: Record<string, number>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(places).map(([key, place]) => [key, parts[place]]));

function outcome(pipeline: Pipeline, text: string): Case {
  try {
    const ids = pipeline.encode(text);
    const special = pipeline.postProcess?.(ids) ?? ids;
    return [ids, special, pipeline.decode(ids, false), pipeline.decode(ids, true)];
  } catch (thrown) {
    if (thrown instanceof LabError) return thrown.message;
    throw thrown;
  }
}

test.each(tokenizers)('$name: as Hugging Face’s tokenizers', ({ tokenizer, cases, refused }) => {
  if (refused !== undefined) {
    expect(() => new Pipeline(file(tokenizer))).toThrow(LabError);
    return;
  }
  const pipeline = new Pipeline(file(tokenizer));
  for (const [index, place] of cases!.entries()) {
    const wanted = parts[place] as Case;
    const got = outcome(pipeline, texts[index]!);
    if (typeof wanted === 'string') expect(typeof got, `${texts[index]}: ${wanted}`).toBe('string');
    else
      expect(wanted[2] === null ? got.slice(0, 2) : got, texts[index]).toEqual(wanted.filter((part) => part !== null));
  }
});

test('the fixture has every kind of part, and hardly a tokenizer that is refused', () => {
  expect(tokenizers.length).toBeGreaterThan(100);
  expect(tokenizers.filter(({ refused }) => refused !== undefined).length).toBeLessThan(tokenizers.length / 50);
});

/** @file Which tokens a request means, for an open model and named texts. */

import { expect, test } from 'vitest';
import type { TokenSequences } from '../../numerics/tokens';
import { lettersTokenizer } from '../../text/testing/letters';
import type { SyncTokenizer } from '../../text/tokenizer';
import type { OpenModel } from './models';
import { SequenceMaker } from './sequences';
import type { Corpus, TextLibrary } from './texts';

const texts: Record<string, string[]> = {
  rows: ['abcdef', 'ghijkl', 'mn', 'opqrst'],
  note: ['abcdefghijklmnopqrstuvwxyz'],
  calibration: ['abc\n\ndef\n\nghi\n\njkl'],
  evaluation: ['abc\n\ndef\n\nghi\n\njkl'],
};
const library = {
  open: async (name: string): Promise<Corpus> => {
    const builtIn = name === 'calibration' || name === 'evaluation';
    return {
      name,
      source: builtIn ? 'built-in' : `file ${name}`,
      builtIn,
      texts: texts[name]!,
      contentHash: `hash of ${name}`,
    };
  },
} as unknown as TextLibrary;

function maker({ id = 'model', tokenizer = lettersTokenizer(), maxPositions = 20 } = {}) {
  const model = {
    info: { id, shape: { vocab: 28, maxPositions } },
    requireTokenizer: () => tokenizer,
  } as unknown as OpenModel;
  return new SequenceMaker(model, library);
}
const letters = lettersTokenizer();
const read = (sequences: TokenSequences): string[] => sequences.map((sequence) => letters.decode(sequence));

test('evaluation of a named text: the paper joins its rows; all windows unless told', async () => {
  const { tokens, text, firstTargets } = await maker().evaluation({ corpus: 'rows', seqLen: 5 }, {});
  expect(read(tokens)).toEqual(['|abcd', 'ef??g', 'hijkl', '??mn?', '?opqr']);
  expect(firstTargets).toBeUndefined();
  expect(text).toMatchObject({ corpus: 'rows', sequences: 5, seqLen: 5 });
  const origin = {
    source: 'file rows',
    protocol: 'joined',
    start: 'first',
    documents: 4,
    contentHash: 'hash of rows',
    available: 5,
  };
  expect(text.origin).toEqual(origin);
  const some = await maker().evaluation({ corpus: 'rows', seqLen: 5, samples: 2 }, {});
  expect(some.text).toMatchObject({ sequences: 2, origin });
  expect(some.text.hash).not.toBe(text.hash);
});

test('evaluation with a start token before every window needs one position more', async () => {
  const every = { corpus: 'rows', seqLen: 5, addBosToEvery: true };
  const { tokens, text } = await maker().evaluation(every, {});
  expect(read(tokens).slice(0, 2)).toEqual(['|abcde', '|f??gh']);
  expect(text).toMatchObject({ seqLen: 6, origin: { start: 'every' } });
  await expect(maker({ maxPositions: 5 }).evaluation(every, {})).rejects.toThrow(
    "the model's context is 5 tokens, got 6",
  );
  expect((await maker({ maxPositions: 5 }).evaluation({ ...every, addBosToEvery: false }, {})).text.seqLen).toBe(5);
});

test('windows of a named text do not overlap; of a given text they may', async () => {
  await expect(maker().evaluation({ corpus: 'rows', seqLen: 5, stride: 2 }, {})).rejects.toThrow('do not overlap');
  const { tokens, firstTargets, text } = await maker().evaluation({ text: 'abcdefgh', seqLen: 4, stride: 2 }, {});
  expect(read(tokens)).toEqual(['abcd', 'cdef', 'efgh']);
  expect(firstTargets).toEqual([1, 2, 2]);
  expect(text).toMatchObject({ corpus: 'text', origin: { source: 'given', protocol: 'running text', available: 3 } });
});

test('calibration draws rows of a text that has some, and crops one that has none', async () => {
  const rows = await maker().calibration({ corpus: 'rows', seqLen: 5, samples: 3, seed: 5 }, {});
  expect(rows.info).toMatchObject({ corpus: 'rows', samples: 3, seqLen: 5, seed: 5, tokens: 15 });
  expect(rows.info.origin).toMatchObject({ protocol: 'rows', start: 'row', documents: 4, available: null });
  const note = await maker().calibration({ corpus: 'note', seqLen: 5, samples: 3, seed: 5 }, {});
  expect(note.info.origin).toMatchObject({ protocol: 'running text', start: 'none', documents: 1 });
  for (const sequence of read(note.sequences)) expect(texts['note']![0]).toContain(sequence);
  expect(new Set(note.sequences.flat()).size).toBe(15);
});

test("the demo reads the page's stories as stories, another model as a running text", async () => {
  const demo = await maker({ id: 'demo' }).evaluation({ seqLen: 4 }, {});
  expect(read(demo.tokens)).toEqual(['|abc', '|def', '|ghi', '|jkl']);
  expect(demo.text).toMatchObject({
    corpus: 'evaluation',
    origin: { source: 'built-in', protocol: 'stories', available: 4 },
  });
  const other = await maker().evaluation({ seqLen: 4, samples: 2 }, {});
  expect(read(other.tokens)).toEqual(['abc?', '?def']);
  expect(other.text.origin).toMatchObject({ protocol: 'running text', available: 4 });
  const calibrated = await maker({ id: 'demo' }).calibration({ seqLen: 4, samples: 2 }, {});
  expect(calibrated.info.origin).toMatchObject({ protocol: 'stories', available: null });
});

test('given ids are taken as they are', async () => {
  const tokenIds = [
    [1, 2, 3],
    [4, 5],
  ];
  const { tokens, text } = await maker().evaluation({ tokenIds, samples: 1 }, {});
  expect(tokens).toEqual(tokenIds);
  expect(text).toMatchObject({
    corpus: 'tokenIds',
    sequences: 2,
    seqLen: 3,
    origin: { protocol: 'given', available: 2 },
  });
  await expect(maker().evaluation({ tokenIds: [[1, 99]] }, {})).rejects.toMatchObject({ code: 'bad-argument' });
});

test('a text is tokenised once for all perplexities on it', async () => {
  let encoded = 0;
  const encode: SyncTokenizer['encode'] = (text, options) => {
    encoded += 1;
    return letters.encode(text, options);
  };
  const sequences = maker({ tokenizer: lettersTokenizer({ encode }) });
  const first = await sequences.evaluation({ corpus: 'rows', seqLen: 5 }, {});
  const before = encoded;
  expect((await sequences.evaluation({ corpus: 'rows', seqLen: 5 }, {})).tokens).toEqual(first.tokens);
  expect((await sequences.evaluation({ corpus: 'rows', seqLen: 6 }, {})).text.seqLen).toBe(6);
  expect(encoded).toBe(before);
});

test.each([
  [{ corpus: 'rows', seqLen: 1 }, 'seqLen'],
  [{ corpus: 'rows', seqLen: 2.5 }, 'seqLen'],
  [{ corpus: 'rows', seqLen: 21 }, 'context is 20'],
  [{ corpus: 'rows', seqLen: 5, samples: 0 }, 'samples'],
  [{ text: 5 as unknown as string }, 'text: expected a string'],
])('%j: refused', async (request, message) => {
  await expect(maker().evaluation(request, {})).rejects.toThrow(message);
  await expect(maker().evaluation(request, {})).rejects.toMatchObject({ code: 'bad-argument' });
});

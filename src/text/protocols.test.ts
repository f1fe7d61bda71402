import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { joinedSequences, joinedTokens, type Made, type RowsRequest, rowSequences } from './protocols';
import { lettersTokenizer } from './testing/letters';
import { openTokenizer, type SyncTokenizer } from './tokenizer';

const letters = lettersTokenizer();
const startless = lettersTokenizer({ addsBos: false });
const read = ({ sequences, start }: Made, tokenizer: SyncTokenizer = letters) => ({
  sequences: sequences.map((sequence) => tokenizer.decode(sequence)),
  start,
});

const joined = async (texts: string[], startEvery = false, tokenizer = letters, seqLen = 4) =>
  read(joinedSequences(tokenizer, await joinedTokens(tokenizer, texts), { seqLen, startEvery }), tokenizer);

test('evaluation: documents joined by an empty line, one start token before all, the last partial window dropped', async () => {
  expect(await joined(['abc', '', 'defgh'])).toEqual({ sequences: ['|abc', '????', 'defg'], start: 'first' });
});

test('evaluation: a start token before every window stands in front of all its tokens', async () => {
  expect(await joined(['abcdefghij'], true)).toEqual({ sequences: ['|abcd', '|efgh'], start: 'every' });
});

test('evaluation: a tokenizer that adds no start token to a text gets none', async () => {
  expect(await joined(['abcdefgh'], false, startless)).toEqual({ sequences: ['abcd', 'efgh'], start: 'none' });
  expect(await joined(['abcdefgh'], true, startless)).toEqual({ sequences: ['abcd', 'efgh'], start: 'none' });
});

test('evaluation: a text without one whole window is refused, with both numbers', async () => {
  expect((await joined(['abc'])).sequences).toEqual(['|abc']);
  await expect(joined(['ab'])).rejects.toThrow('gives 3 tokens, expected at least one sequence of 4');
});

const rows = ['ab', 'abcdef', 'ghijkl', 'xy', 'mnopqrst', ''];
const drawn = async (request: Partial<RowsRequest> = {}, tokenizer = letters, texts = rows) =>
  read(
    await rowSequences(tokenizer, texts, { samples: 3, seqLen: 5, seed: 1, startEvery: false, ...request }),
    tokenizer,
  );

test('calibration: rows of enough tokens, none twice, each cropped at random; the same for the same seed', async () => {
  const long = ['|abcdef', '|ghijkl', '|mnopqrst'];
  const crops = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    const { sequences, start } = await drawn({ seed });
    expect(start).toBe('row');
    expect((await drawn({ seed })).sequences).toEqual(sequences);
    const from = sequences.map((sequence) => long.findIndex((row) => row.includes(sequence)));
    expect([...from].sort()).toEqual([0, 1, 2]);
    for (const sequence of sequences) crops.add(sequence);
  }
  // A start token survives only in the crop at 0: 3 + 3 + 5 crops in all, and no other.
  expect([...crops].sort()).toEqual(
    long.flatMap((row) => Array.from({ length: row.length - 4 }, (_, at) => row.slice(at, at + 5))).sort(),
  );
});

test('calibration: every order and every place is about as likely as any other', async () => {
  const counts = new Map<string, number>();
  const runs = 6000;
  for (let seed = 0; seed < runs; seed++) {
    const [sequence] = (await drawn({ seed, samples: 1 })).sequences;
    counts.set(sequence!, (counts.get(sequence!) ?? 0) + 1);
  }
  // Each of three rows a third; within a row each place alike: five places in one, three in the others.
  expect(counts.size).toBe(5 + 3 + 3);
  for (const [sequence, count] of counts) {
    const expected = runs / 3 / (/[m-t]/.test(sequence) ? 5 : 3);
    expect(Math.abs(count - expected), `${sequence}: ${count} of ${expected}`).toBeLessThan(6 * Math.sqrt(expected));
  }
});

test('calibration with a start token in every window: no other special token, the last token makes room', async () => {
  const { sequences, start } = await drawn({ startEvery: true });
  expect(start).toBe('every');
  for (const sequence of sequences) {
    expect(sequence).toMatch(/^\|[a-z]{4}$/);
    expect(rows.some((row) => row.includes(sequence.slice(1)))).toBe(true);
  }
  expect((await drawn({ startEvery: true }, startless)).sequences.every((sequence) => sequence.length === 5)).toBe(
    true,
  );
});

test('calibration: too few rows that are long enough are counted in the message', async () => {
  await expect(drawn({ samples: 4 })).rejects.toThrow('3 rows of at least 5 tokens (of 6 rows), expected 4');
  await expect(drawn({ samples: 4 })).rejects.toMatchObject({ code: 'bad-argument' });
});

test('a row that is shorter in characters may be longer in tokens', async () => {
  const bytes = lettersTokenizer({
    addsBos: false,
    encode: (text) => [...new TextEncoder().encode(text)].map(() => 1),
  });
  expect((await drawn({ samples: 1, seqLen: 12 }, bytes, ['語'.repeat(4)])).sequences).toEqual(['a'.repeat(12)]);
});

const shared = `${process.cwd()}/../shared`;
test.skipIf(!existsSync(shared))(
  'an article with a real tokenizer: no start token where it adds none (skipped where ../shared is absent)',
  async () => {
    const json: unknown = JSON.parse(readFileSync(`${shared}/tokenizers/smollm_tokenizer.json`, 'utf8'));
    const tokenizer = openTokenizer(json, { bos_token: '<|endoftext|>' }, 50000);
    const lines = readFileSync(`${shared}/text/wikitext2-valid.txt`, 'utf8').slice(0, 20_000).split('\n');
    const ids = await joinedTokens(tokenizer, lines);
    expect(tokenizer.decode(ids)).toBe(lines.join('\n\n'));
    const { sequences, start } = joinedSequences(tokenizer, ids, { seqLen: 128, startEvery: false });
    expect({ start, sequences: sequences.length }).toEqual({ start: 'none', sequences: Math.floor(ids.length / 128) });
    expect(sequences.flat()).toEqual(ids.slice(0, sequences.length * 128));
  },
);

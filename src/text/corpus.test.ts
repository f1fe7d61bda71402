import { expect, test } from 'vitest';
import { type SequenceRequest, sequencesFromText } from './corpus';
import { tinyTokenizerConfig, tinyTokenizerJson, tinyVocab } from './testing/tinyTokenizer';
import { openTokenizer, type SyncTokenizer } from './tokenizer';

/** One token per character, so that sequences can be read: id = position in the alphabet, `<s>` = 0. */
const letters: SyncTokenizer = {
  bosId: 0,
  addsBos: true,
  eosId: null,
  size: 27,
  notes: [],
  unknownId: null,
  encode: (text) => Array.from(text, (letter) => letter.charCodeAt(0) - 96),
  decode: (ids) => ids.map((id) => (id === 0 ? '|' : String.fromCharCode(96 + id))).join(''),
};

const sequences = async (text: string, request: Partial<SequenceRequest>, tokenizer = letters): Promise<string[]> => {
  const made = await sequencesFromText(tokenizer, text, {
    protocol: 'evaluation',
    kind: 'text',
    seqLen: 4,
    ...request,
  });
  return made.map((sequence) => tokenizer.decode(sequence));
};

const alphabet = 'abcdefghijklmnopqrstuvwxyz';

test('evaluation cuts a running text in order and drops the last partial window', async () => {
  expect(await sequences('abcdefghij', {})).toEqual(['abcd', 'efgh']);
  expect(await sequences('abcdefghij', { samples: 1 })).toEqual(['abcd']);
  expect(await sequences('abcdefghij', { stride: 2 })).toEqual(['abcd', 'cdef', 'efgh', 'ghij']);
});

test('calibration takes windows that do not overlap, the same for the same seed', async () => {
  const take = (seed: number): Promise<string[]> => sequences(alphabet, { protocol: 'calibration', samples: 5, seed });
  expect(await take(1)).toEqual(await take(1));
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const taken = await take(seed);
    expect(taken).toHaveLength(5);
    const used = taken.join('');
    expect(new Set(used).size).toBe(20);
    for (const sequence of taken) expect(alphabet).toContain(sequence);
    seen.add(used);
  }
  // 6 spare letters over 6 gaps: 462 choices, of which 200 draws hit many.
  expect(seen.size).toBeGreaterThan(60);
});

test('calibration uses the whole text when it must', async () => {
  const all = await sequences('abcdefghijkl', { protocol: 'calibration', samples: 3, seed: 9 });
  expect(all.sort()).toEqual(['abcd', 'efgh', 'ijkl']);
});

const book = 'abc\n\ndefghi\n\n\nj\n\nklmno\r\n\r\npq\n';

test('windows of stories begin with a story and go on with the next', async () => {
  expect(await sequences(book, { kind: 'stories' })).toEqual(['|abc', '|def', '|j|k']);
  expect(await sequences(book, { kind: 'stories', seqLen: 6 })).toEqual(['|abc|d', '|j|klm']);
  expect(await sequences(book, { kind: 'stories', samples: 1 })).toEqual(['|abc']);
});

test('calibration on stories uses no story twice', async () => {
  const stories = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i).repeat((i % 5) + 1)).join('\n\n');
  const drawn = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const taken = await sequences(stories, { kind: 'stories', protocol: 'calibration', samples: 5, seed });
    expect(taken).toHaveLength(5);
    const initials = taken.flatMap((sequence) => [...new Set(sequence.replaceAll('|', ''))]);
    expect(new Set(initials).size).toBe(initials.length);
    for (const sequence of taken) expect(sequence).toMatch(/^\|[a-z|]{3}$/);
    drawn.add(taken.join());
  }
  expect(drawn.size).toBeGreaterThan(90);
});

test('a text that is too short is told with both numbers', async () => {
  const short = () => sequences('abcdefghij', { protocol: 'calibration', samples: 3 });
  await expect(short()).rejects.toThrow('The text gives 2 sequences of 4 tokens, expected at least 3.');
  await expect(short()).rejects.toMatchObject({ code: 'bad-argument' });
  await expect(sequences('abc', {})).rejects.toThrow('gives 0 sequences');
  await expect(sequences('a\n\nb', { kind: 'stories', protocol: 'calibration', samples: 2 })).rejects.toThrow(
    'gives 1 sequences',
  );
});

test.each([{ seqLen: 1 }, { seqLen: 2.5 }, { stride: 0 }, { samples: 0 }, { seqLen: Number.NaN }])(
  '%j is refused',
  async (request) => {
    await expect(sequences(alphabet, request)).rejects.toMatchObject({ code: 'bad-argument' });
  },
);

test('stories need a token that begins them', async () => {
  await expect(sequences(book, { kind: 'stories' }, { ...letters, bosId: null })).rejects.toMatchObject({
    code: 'bad-tokenizer',
  });
});

test('with a real tokenizer, a window of a story is <s> and its tokens', async () => {
  const tokenizer = openTokenizer(tinyTokenizerJson(), tinyTokenizerConfig, tinyVocab);
  const [sequence] = await sequencesFromText(tokenizer, 'hello world\n\nhello', {
    protocol: 'evaluation',
    kind: 'stories',
    seqLen: 4,
  });
  expect(sequence).toEqual([0, ...tokenizer.encode('hello world'), 0]);
});

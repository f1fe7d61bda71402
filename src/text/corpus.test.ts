import { expect, test } from 'vitest';
import { type WindowRequest, windowsFromText } from './corpus';
import { tinyTokenizerConfig, tinyTokenizerJson, tinyVocab } from './testing/tinyTokenizer';
import { openTokenizer, type Tokenizer } from './tokenizer';

/** One token per character, so that windows can be read: id = position in the alphabet, `<s>` = 0. */
const letters: Tokenizer = {
  bosId: 0,
  addsBos: true,
  eosId: null,
  size: 27,
  encode: (text) => Array.from(text, (letter) => letter.charCodeAt(0) - 96),
  decode: (ids) => ids.map((id) => (id === 0 ? '|' : String.fromCharCode(96 + id))).join(''),
};

const windows = (text: string, request: Partial<WindowRequest>, tokenizer = letters): string[] =>
  windowsFromText(tokenizer, text, { protocol: 'evaluation', kind: 'text', seqLen: 4, ...request }).map((window) =>
    tokenizer.decode(window),
  );

const alphabet = 'abcdefghijklmnopqrstuvwxyz';

test('evaluation cuts a running text in order and drops the last partial window', () => {
  expect(windows('abcdefghij', {})).toEqual(['abcd', 'efgh']);
  expect(windows('abcdefghij', { samples: 1 })).toEqual(['abcd']);
  expect(windows('abcdefghij', { stride: 2 })).toEqual(['abcd', 'cdef', 'efgh', 'ghij']);
});

test('calibration takes windows that do not overlap, the same for the same seed', () => {
  const take = (seed: number): string[] => windows(alphabet, { protocol: 'calibration', samples: 5, seed });
  expect(take(1)).toEqual(take(1));
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const taken = take(seed);
    expect(taken).toHaveLength(5);
    const used = taken.join('');
    expect(new Set(used).size).toBe(20);
    for (const window of taken) expect(alphabet).toContain(window);
    seen.add(used);
  }
  // 6 spare letters over 6 gaps: 462 choices, of which 200 draws hit many.
  expect(seen.size).toBeGreaterThan(60);
});

test('calibration uses the whole text when it must', () => {
  const all = windows('abcdefghijkl', { protocol: 'calibration', samples: 3, seed: 9 });
  expect(all.sort()).toEqual(['abcd', 'efgh', 'ijkl']);
});

const book = 'abc\n\ndefghi\n\n\nj\n\nklmno\r\n\r\npq\n';

test('windows of stories begin with a story and go on with the next', () => {
  expect(windows(book, { kind: 'stories' })).toEqual(['|abc', '|def', '|j|k']);
  expect(windows(book, { kind: 'stories', seqLen: 6 })).toEqual(['|abc|d', '|j|klm']);
  expect(windows(book, { kind: 'stories', samples: 1 })).toEqual(['|abc']);
});

test('calibration on stories uses no story twice', () => {
  const stories = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i).repeat((i % 5) + 1)).join('\n\n');
  const drawn = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const taken = windows(stories, { kind: 'stories', protocol: 'calibration', samples: 5, seed });
    expect(taken).toHaveLength(5);
    const initials = taken.flatMap((window) => [...new Set(window.replaceAll('|', ''))]);
    expect(new Set(initials).size).toBe(initials.length);
    for (const window of taken) expect(window).toMatch(/^\|[a-z|]{3}$/);
    drawn.add(taken.join());
  }
  expect(drawn.size).toBeGreaterThan(90);
});

test('a text that is too short is told with both numbers', () => {
  const short = () => windows('abcdefghij', { protocol: 'calibration', samples: 3 });
  expect(short).toThrow('The text gives 2 windows of 4 tokens, expected at least 3.');
  expect(short).toThrow(expect.objectContaining({ code: 'bad-argument' }));
  expect(() => windows('abc', {})).toThrow('gives 0 windows');
  expect(() => windows('a\n\nb', { kind: 'stories', protocol: 'calibration', samples: 2 })).toThrow('gives 1 windows');
});

test.each([{ seqLen: 1 }, { seqLen: 2.5 }, { stride: 0 }, { samples: 0 }, { seqLen: Number.NaN }])(
  '%j is refused',
  (request) => {
    expect(() => windows(alphabet, request)).toThrow(expect.objectContaining({ code: 'bad-argument' }));
  },
);

test('stories need a token that begins them', () => {
  expect(() => windows(book, { kind: 'stories' }, { ...letters, bosId: null })).toThrow(
    expect.objectContaining({ code: 'bad-tokenizer' }),
  );
});

test('with a real tokenizer, a window of a story is <s> and its tokens', () => {
  const tokenizer = openTokenizer(tinyTokenizerJson(), tinyTokenizerConfig, tinyVocab);
  const [window] = windowsFromText(tokenizer, 'hello world\n\nhello', {
    protocol: 'evaluation',
    kind: 'stories',
    seqLen: 4,
  });
  expect(window).toEqual([0, ...tokenizer.encode('hello world'), 0]);
});

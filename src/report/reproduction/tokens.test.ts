import { expect, test } from 'vitest';
import { hashDocuments } from '../../text/documents';
import type { TextOrigin } from '../../text/origin';
import type { PerplexityResult } from '../results';
import { calibrationRequest, differenceOfTokens, type Given, perplexityRequest } from './tokens';

const origin = (more: Partial<TextOrigin> = {}): TextOrigin => ({
  ...{ source: 'hf:o/n@1/f', protocol: 'joined', start: 'first', documents: 2, contentHash: 'c', available: 40 },
  ...more,
});
const none: Given = { texts: [], calibration: { calibration: null } };
const info = { corpus: 'wikitext2', samples: 10, seqLen: 128, seed: 7, tokens: 1280, hash: 'h' };
const perplexity = (text: object, tokens: number): PerplexityResult =>
  ({ tokens, text: { corpus: 'wikitext2', sequences: 4, seqLen: 128, hash: 'h', ...text } }) as PerplexityResult;

test('a calibration is asked for as it was: samples, length, seed, start tokens', () => {
  expect(calibrationRequest(info, none)).toEqual({
    request: { corpus: 'wikitext2', samples: 10, seqLen: 128, seed: 7 },
  });
  const every = { ...info, origin: origin({ protocol: 'rows', start: 'every' }) };
  expect(calibrationRequest(every, none)).toMatchObject({ request: { seqLen: 128, addBosToEvery: true } });
});

test('given tokens and given texts are used where they are there', () => {
  expect(calibrationRequest({ ...info, corpus: 'tokenIds' }, none)).toMatchObject({
    why: expect.stringMatching(/token ids/),
  });
  const kept: Given = { texts: [], calibration: { calibration: info, calibrationTokens: [[1, 2]] } };
  expect(calibrationRequest({ ...info, corpus: 'tokenIds' }, kept)).toEqual({ request: { tokenIds: [[1, 2]] } });
  const said = {
    corpus: 'text',
    origin: origin({ contentHash: hashDocuments(['a story']), protocol: 'running text' }),
  };
  expect(perplexityRequest(perplexity(said, 4 * 127), none)).toMatchObject({ why: expect.stringMatching(/hash/) });
  const given = { ...none, texts: ['another', 'a story'] };
  expect(perplexityRequest(perplexity(said, 4 * 127), given)).toMatchObject({
    request: { text: 'a story', seqLen: 128 },
  });
});

test('the length that was cut and the stride come from the tokens that count', () => {
  const every = { origin: origin({ start: 'every' }), seqLen: 129 };
  expect(perplexityRequest(perplexity(every, 4 * 128), none)).toEqual({
    request: { corpus: 'wikitext2', samples: 4, seqLen: 128, addBosToEvery: true },
  });
  // 127 of the first sequence, 32 of each later one.
  expect(perplexityRequest(perplexity({}, 127 + 3 * 32), none)).toMatchObject({ request: { seqLen: 128, stride: 32 } });
});

test('tells where tokens differ', () => {
  const at = { corpus: 'w', seqLen: 128, hash: 'a', origin: origin() };
  const counts = { reported: 4, here: 4 };
  expect(differenceOfTokens(at, { ...at }, counts)).toBeNull();
  expect(differenceOfTokens(at, { ...at, hash: 'b' }, counts)).toMatch(/other token ids/);
  const other = { ...at, hash: 'b', origin: origin({ contentHash: 'd', start: 'none' }) };
  expect(differenceOfTokens(at, other, { reported: 4, here: 3 })).toMatch(
    /other content.*start tokens.*4 × 128.*3 × 128/,
  );
});

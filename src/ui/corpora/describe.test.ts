import { expect, test } from 'vitest';
import type { CorpusInfo } from '../../lab/contract/types';
import type { CalibrationInfo, TextInfo } from '../../report/texts';
import type { TextOrigin } from '../../text/origin';
import { calibrationLine, corpusTitle, evaluationLine, provenance } from './describe';

const corpora: CorpusInfo[] = [
  { name: 'wikitext-2', title: 'WikiText-2, test', kind: 'hub', uses: ['evaluation'], stored: null },
];
const origin: TextOrigin = {
  source: 'hf:Salesforce/wikitext@abc/wikitext-2-raw-v1/test',
  protocol: 'joined',
  start: 'first',
  documents: 4358,
  contentHash: 'c0ffee',
  available: 2663,
};
const text: TextInfo = { corpus: 'wikitext-2', sequences: 16, seqLen: 128, hash: 'beef', origin };
const calibration: CalibrationInfo = {
  corpus: 'file:notes.jsonl',
  samples: 10,
  seqLen: 128,
  seed: 1234,
  tokens: 1280,
  hash: 'feed',
  origin: { ...origin, source: 'file notes.jsonl', protocol: 'rows', start: 'row', available: null },
};

test('lines say which text and how many sequences of how many', () => {
  expect(evaluationLine(text, corpora)).toBe('16 of 2,663 sequences × 128 tokens of WikiText-2, test');
  expect(evaluationLine({ ...text, sequences: 2663 }, corpora)).toBe(
    '2,663 sequences × 128 tokens of WikiText-2, test',
  );
  expect(calibrationLine(calibration, corpora)).toBe('10 × 128 tokens of notes.jsonl');
  expect(corpusTitle('evaluation', [])).toBe('built-in stories');
});

test('provenance names everything needed to reproduce the tokens', () => {
  expect(provenance(text)).toBe(
    'hf:Salesforce/wikitext@abc/wikitext-2-raw-v1/test · 4,358 rows · rows joined, cut without overlap · one start token at the beginning · text c0ffee · tokens beef',
  );
  expect(provenance(calibration)).toContain('file notes.jsonl · 4,358 rows · rows chosen and cropped at random');
  expect(provenance(calibration)).toContain('seed 1234 · text c0ffee · tokens feed');
});

test('numbers that earlier versions kept have no origin, and still say what they can', () => {
  const { origin: _, ...old } = calibration;
  expect(provenance(old)).toBe('file:notes.jsonl · seed 1234 · tokens feed');
});

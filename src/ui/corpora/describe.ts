/** @file Texts and the tokens that were used of them, in words. Pure. */
import type { CorpusInfo } from '../../lab/contract/types';
import type { CalibrationInfo, TextInfo } from '../../report/texts';
import type { TextOrigin } from '../../text/origin';
import { integer, plural } from '../parts/format';

/** What people call a text. */
export function corpusTitle(name: string, corpora: readonly CorpusInfo[]): string {
  const found = corpora.find((each) => each.name === name);
  if (found) return found.title;
  if (name === 'calibration' || name === 'evaluation') return 'built-in stories';
  if (name === 'text') return 'a given text';
  if (name === 'tokenIds') return 'given tokens';
  return name.replace(/^(file|text):/, '');
}

/** '10 × 128 tokens of BookCorpus', short enough for a line. */
export function calibrationLine({ corpus, samples, seqLen }: CalibrationInfo, corpora: readonly CorpusInfo[]): string {
  return `${samples} × ${seqLen} tokens of ${corpusTitle(corpus, corpora)}`;
}

/** '8 of 2,663 windows × 128 tokens of WikiText-2, test'. */
export function evaluationLine(
  { corpus, sequences, seqLen, origin }: TextInfo,
  corpora: readonly CorpusInfo[],
): string {
  const all = origin?.available ?? sequences;
  const count = all === sequences ? plural(sequences, 'window') : `${integer(sequences)} of ${integer(all)} windows`;
  return `${count} × ${seqLen} tokens of ${corpusTitle(corpus, corpora)}`;
}

const protocols: Readonly<Record<TextOrigin['protocol'], string>> = {
  given: 'windows of given ids',
  stories: 'windows begin where a story begins',
  'running text': 'cut from a running text',
  rows: 'rows drawn at random, cropped at random',
  joined: 'rows joined, windows without overlap',
};

const starts: Readonly<Record<TextOrigin['start'], string | null>> = {
  none: null,
  first: 'one start token before all',
  row: 'a start token before each row',
  every: 'a start token before every window',
};

/** What one needs to have the same tokens: source, protocol, seed, hashes. */
export function provenance({ hash, origin, ...rest }: TextInfo | CalibrationInfo): string {
  const seed = 'seed' in rest && origin?.available === null ? `seed ${rest.seed}` : null;
  const parts = origin
    ? [
        origin.source,
        origin.documents > 1 ? plural(origin.documents, 'row') : null,
        protocols[origin.protocol],
        starts[origin.start],
        seed,
        `text ${origin.contentHash}`,
        `tokens ${hash}`,
      ]
    : [rest.corpus, 'seed' in rest ? `seed ${rest.seed}` : null, `tokens ${hash}`];
  return parts.filter((part) => part !== null).join(' · ');
}

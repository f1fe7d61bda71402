/** @file Describes texts and the tokens that were used of them. Pure. */
import type { CorpusInfo } from '../../lab/contract/types';
import type { CalibrationInfo, TextInfo } from '../../report/texts';
import type { TextOrigin } from '../../text/origin';
import { integer, plural } from '../parts/format';

/** The display name of a text. */
export function corpusTitle(name: string, corpora: readonly CorpusInfo[]): string {
  const found = corpora.find((each) => each.name === name);
  if (found) return found.title;
  if (name === 'calibration' || name === 'evaluation') return 'built-in stories';
  if (name === 'text') return 'a text from a script';
  if (name === 'tokenIds') return 'tokens from a script';
  if (name === 'instructions') return 'instructions with responses';
  if (name === 'generated') return 'text that the base wrote';
  return name.replace(/^(file|text):/, '');
}

/** The display name of a training's text; of pairs from the Hub the data set and the beginning of its commit. */
export function trainedOn(
  { corpus, source }: { readonly corpus: string; readonly source?: string | undefined },
  corpora: readonly CorpusInfo[],
): string {
  const [, repository, commit] = /^hf:([^@]+)@([0-9a-f]{7})/.exec(source ?? '') ?? [];
  return repository === undefined
    ? corpusTitle(corpus, corpora)
    : `instruction pairs of ${repository} (commit ${commit})`;
}

/** '10 × 128 tokens of BookCorpus', short enough for a line. */
export function calibrationLine({ corpus, samples, seqLen }: CalibrationInfo, corpora: readonly CorpusInfo[]): string {
  return `${samples} × ${seqLen} tokens of ${corpusTitle(corpus, corpora)}`;
}

/** '8 of 2,663 sequences × 128 tokens of WikiText-2, test'. */
export function evaluationLine(
  { corpus, sequences, seqLen, origin }: TextInfo,
  corpora: readonly CorpusInfo[],
): string {
  const all = origin?.available ?? sequences;
  const count =
    all === sequences ? plural(sequences, 'sequence') : `${integer(sequences)} of ${integer(all)} sequences`;
  return `${count} × ${seqLen} tokens of ${corpusTitle(corpus, corpora)}`;
}

const protocols: Readonly<Record<TextOrigin['protocol'], string>> = {
  given: 'sequences of given token ids',
  stories: 'each sequence starts with a story',
  'running text': 'cut from one continuous text',
  rows: 'rows chosen and cropped at random',
  joined: 'rows joined, cut without overlap',
};

const starts: Readonly<Record<TextOrigin['start'], string | null>> = {
  none: null,
  first: 'one start token at the beginning',
  row: 'a start token before each row',
  every: 'a start token before every sequence',
};

/** Everything needed to reproduce the tokens: source, protocol, seed, hashes. */
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

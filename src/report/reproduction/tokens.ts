/** @file From what a report tells of its tokens to a request for the same tokens, and how two hashes came to differ. Pure. */
import type { TokenSequences } from '../../numerics/tokens';
import type { RepairText } from '../../pruning/variant';
import { hashDocuments } from '../../text/documents';
import type { ModelRecord } from '../record';
import type { PerplexityResult } from '../results';
import type { CalibrationInfo, TextInfo } from '../texts';

/** A request of `lab.calibrate` or `lab.perplexity`. */
export interface TokenRequest {
  corpus?: string;
  text?: string;
  tokenIds?: number[][];
  samples?: number;
  seqLen?: number;
  stride?: number;
  seed?: number;
  addBosToEvery?: boolean;
}

/** A request, or the reason why a report does not hold enough for one. */
export type Repeatable = { readonly request: TokenRequest } | { readonly why: string };

/** What helps besides the report's own facts. */
export interface Given {
  /** Texts that the author gave along. */
  readonly texts: readonly string[];
  readonly calibration: Pick<ModelRecord, 'calibration' | 'calibrationTokens'>;
}

type Told = Pick<TextInfo, 'corpus' | 'hash' | 'origin'>;

/** Names of texts that a report does not hold. */
const givenText = 'text';
const givenTokens = 'tokenIds';

/** The request for the tokens of a calibration. */
export function calibrationRequest(info: CalibrationInfo | RepairText, given: Given): Repeatable {
  const { calibration, calibrationTokens } = given.calibration;
  if (calibrationTokens && calibration?.hash === info.hash) return { request: tokens(calibrationTokens) };
  const origin = 'origin' in info ? info.origin : calibration?.corpus === info.corpus ? calibration.origin : undefined;
  const { corpus, hash, samples, seqLen, seed } = info;
  const source = sourceOf({ corpus, hash, ...(origin && { origin }) }, given.texts);
  if ('why' in source) return source;
  return { request: { ...source.request, samples, seqLen, seed, ...startOf(origin) } };
}

/** The request for the tokens of a perplexity. */
export function perplexityRequest({ text, tokens: predicted }: PerplexityResult, given: Given): Repeatable {
  const { origin, sequences } = text;
  const source = sourceOf(text, given.texts);
  if ('why' in source) return source;
  // With a start token in front of every one, sequences are longer than what was cut.
  const isLonger = origin?.protocol === 'joined' && origin.start === 'every';
  const seqLen = isLonger ? text.seqLen - 1 : text.seqLen;
  const stride = strideOf(text, predicted);
  const cut = { samples: sequences, seqLen, ...(stride !== null && { stride }), ...startOf(origin) };
  return { request: { ...source.request, ...cut } };
}

const tokens = (sequences: TokenSequences): TokenRequest => ({ tokenIds: sequences.map((ids) => [...ids]) });

const startOf = (origin: Told['origin']): TokenRequest => (origin?.start === 'every' ? { addBosToEvery: true } : {});

function sourceOf({ corpus, origin }: Told, texts: readonly string[]): Repeatable {
  if (corpus === givenTokens) {
    return { why: 'It was measured on given token ids, and a report holds only their hash.' };
  }
  if (corpus !== givenText) return { request: { corpus } };
  const text = texts.find((each) => hashDocuments([each]) === origin?.contentHash);
  if (text !== undefined) return { request: { text } };
  return { why: 'It was measured on a text of the author’s, and a report holds only its hash.' };
}

/**
 * Tokens from one sequence's start to the next, where sequences overlapped: only the new tokens of each count, so that the number
 * of predicted tokens tells. Null where they did not overlap.
 */
function strideOf({ sequences, seqLen }: TextInfo, predicted: number): number | null {
  if (sequences < 2 || predicted >= sequences * (seqLen - 1)) return null;
  const stride = (predicted - (seqLen - 1)) / (sequences - 1);
  return Number.isInteger(stride) && stride >= 1 ? stride : null;
}

/** Where the tokens measured here differ from the report's, in a sentence; null where both have the same hash. */
export function differenceOfTokens(
  reported: Told & { readonly seqLen: number },
  here: Told & { readonly seqLen: number },
  counts: { readonly reported: number; readonly here: number },
): string | null {
  if (reported.hash === here.hash) return null;
  const [before, now] = [reported.origin, here.origin];
  const said: string[] = [];
  if (before && now && before.contentHash !== now.contentHash) {
    said.push(
      `the text '${reported.corpus}' has other content (${before.contentHash} in the report, ${now.contentHash} here)`,
    );
  }
  if (before && now && before.protocol !== now.protocol) {
    said.push(`it was cut by the protocol '${before.protocol}', here by '${now.protocol}'`);
  }
  if (before && now && before.start !== now.start) {
    said.push(`its start tokens are '${before.start}', here '${now.start}'`);
  }
  if (counts.reported !== counts.here || reported.seqLen !== here.seqLen) {
    said.push(`it has ${counts.reported} × ${reported.seqLen} tokens, here ${counts.here} × ${here.seqLen}`);
  }
  const hashes = `token hash ${reported.hash} in the report, ${here.hash} here`;
  if (said.length === 0) return `Other tokens: the same text was cut into other token ids (${hashes}).`;
  return `Other tokens: ${said.join('; ')} (${hashes}).`;
}

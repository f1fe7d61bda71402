/** @file Which tokens a measurement runs on: given ids, given text, or a corpus that ships with the page. */
import { LabError } from '../errors';
import type { CalibrationInfo } from '../importance/types';
import { calibrationFile, evaluationFile } from '../shards/modelFiles';
import type { TaskOptions } from '../task';
import { type WindowRequest, windowsFromText } from '../text/corpus';
import { checkWindows, hashWindows } from '../text/windows';
import { type OpenModel, pageUrl } from './models';
import type { CalibrateRequest, CorpusRequest, PerplexityRequest, TextInfo } from './types';

/** Windows of tokens, each scored on its own. */
export interface Windows {
  readonly tokens: number[][];
  /** Per window, index of the first token that counts: overlapping windows score only what is new. */
  readonly firstTargets?: readonly number[] | undefined;
  readonly text: TextInfo;
}

function textInfo(corpus: string, windows: readonly (readonly number[])[]): TextInfo {
  const seqLen = windows.reduce((longest, window) => Math.max(longest, window.length), 0);
  return { corpus, windows: windows.length, seqLen, hash: hashWindows(windows) };
}

export interface Calibration {
  readonly windows: number[][];
  readonly info: CalibrationInfo;
}

/** As in the paper: 10 samples of 128 tokens. */
const defaults = { samples: 10, seqLen: 128, seed: 1234 };

/** Corpora that ship with the page, by the name that requests and reports use. */
const corpora: Readonly<Record<string, string>> = { calibration: calibrationFile, evaluation: evaluationFile };

/** A built-in corpus: from the stored demo when that is open, else from the page. */
async function corpusText(model: OpenModel, name: string, signal: AbortSignal | undefined): Promise<string> {
  const file = Object.hasOwn(corpora, name) ? corpora[name] : undefined;
  if (file === undefined) {
    const known = Object.keys(corpora).join(', ');
    throw new LabError('bad-argument', `corpus: expected one of ${known}, got '${name}'.`, 'Or give text or tokenIds.');
  }
  if (model.info.id === 'demo') {
    const stored = await model.checkpoint.text(file);
    if (stored !== null) return stored;
  }
  const url = new URL(`demo/${file}`, pageUrl());
  try {
    const response = await fetch(url, { signal: signal ?? null });
    if (response.ok) return await response.text();
    throw new Error(`status ${response.status}`);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new LabError(
      'network',
      `The corpus '${name}' could not be fetched (${String(cause)}).`,
      'Check the connection, or give text.',
      { cause },
    );
  }
}

async function textWindows(
  model: OpenModel,
  request: CorpusRequest,
  fallback: string,
  how: Pick<WindowRequest, 'protocol' | 'samples' | 'seed' | 'stride'>,
  signal: AbortSignal | undefined,
): Promise<{ corpus: string; windows: number[][] }> {
  const tokenizer = model.requireTokenizer();
  const seqLen = request.seqLen ?? Math.min(defaults.seqLen, model.info.shape.maxPositions);
  checkSeqLen(model, seqLen);
  if (request.text !== undefined) {
    if (typeof request.text !== 'string') {
      throw new LabError(
        'bad-argument',
        `text: expected a string, got ${typeof request.text}.`,
        'Give text, or tokenIds.',
      );
    }
    return { corpus: 'text', windows: windowsFromText(tokenizer, request.text, { ...how, kind: 'text', seqLen }) };
  }
  const corpus = request.corpus ?? fallback;
  const text = await corpusText(model, corpus, signal);
  // The stories begin with `<s>` for the model that was trained so; any other tokenizer reads a running text.
  const kind = model.info.id === 'demo' ? 'stories' : 'text';
  return { corpus, windows: windowsFromText(tokenizer, text, { ...how, kind, seqLen }) };
}

/** Positions beyond the context were never trained, and have no rotary table in the graph. */
function checkSeqLen(model: OpenModel, seqLen: number): void {
  const { maxPositions } = model.info.shape;
  if (seqLen <= maxPositions) return;
  throw new LabError(
    'bad-argument',
    `seqLen: the model's context is ${maxPositions} tokens, got ${seqLen}.`,
    'Give a smaller seqLen.',
  );
}

function given(model: OpenModel, tokenIds: number[][]): number[][] {
  const { vocab, maxPositions } = model.info.shape;
  return checkWindows(tokenIds, vocab, maxPositions);
}

/** The windows that criteria measure on. */
export async function calibrationWindows(
  model: OpenModel,
  request: CalibrateRequest,
  { signal }: TaskOptions,
): Promise<Calibration> {
  const seed = request.seed ?? defaults.seed;
  const { corpus, windows } =
    request.tokenIds !== undefined
      ? { corpus: 'tokenIds', windows: given(model, request.tokenIds) }
      : await textWindows(
          model,
          request,
          'calibration',
          { protocol: 'calibration', samples: request.samples ?? defaults.samples, seed },
          signal,
        );
  const tokens = windows.reduce((sum, window) => sum + window.length, 0);
  return {
    windows,
    info: {
      corpus,
      samples: windows.length,
      seqLen: Math.max(...windows.map((window) => window.length)),
      seed,
      tokens,
      hash: hashWindows(windows),
    },
  };
}

/** The windows that a perplexity is measured on: held-out text unless told otherwise. */
export async function evaluationWindows(
  model: OpenModel,
  request: Omit<PerplexityRequest, keyof TaskOptions>,
  defaultSamples: number,
  { signal }: TaskOptions,
): Promise<Windows> {
  if (request.tokenIds !== undefined) {
    const tokens = given(model, request.tokenIds);
    return { tokens, text: textInfo('tokenIds', tokens) };
  }
  const { stride } = request;
  const samples = request.samples ?? (request.text === undefined ? defaultSamples : undefined);
  const { corpus, windows } = await textWindows(
    model,
    request,
    'evaluation',
    { protocol: 'evaluation', samples, stride },
    signal,
  );
  const seqLen = windows[0]!.length;
  const text = textInfo(corpus, windows);
  if (stride === undefined || stride >= seqLen) return { tokens: windows, text };
  return { tokens: windows, text, firstTargets: windows.map((_, index) => (index === 0 ? 1 : seqLen - stride)) };
}

/** @file Which tokens a measurement runs on: given ids, given text, or a text by its name, and by which protocol. */
import { LabError } from '../../errors';
import { Recent } from '../../recent';
import type { TextInfo } from '../../report/texts';
import type { TaskOptions } from '../../task';
import { checkInteger, sequencesFromText, sequencesFromTokens } from '../../text/corpus';
import { hashDocuments } from '../../text/documents';
import type { TextOrigin } from '../../text/origin';
import { joinedSequences, joinedTokens, rowSequences } from '../../text/protocols';
import { checkSequences, hashSequences } from '../../text/sequences';
import type { CalibrateRequest, CorpusRequest, PerplexityRequest } from '../contract/types';
import type { Calibration, Plain } from '../contract/workerSession';
import type { OpenModel } from './models';
import type { Corpus, TextLibrary } from './texts';

/** Sequences of tokens, each scored on its own. */
export interface Sequences {
  readonly tokens: number[][];
  /** Per sequence, index of the first token that counts: overlapping sequences score only what is new. */
  readonly firstTargets?: readonly number[] | undefined;
  readonly text: TextInfo;
}

/** As in the paper: 10 samples of 128 tokens. */
const defaults = { samples: 10, seqLen: 128, seed: 1234 };

/**
 * How many sequences of the built-in corpus a perplexity takes unless told: 16 × 128 tokens, as many as the eval set of
 * the judges.
 */
const builtInSamples = 16;

/** Tokens of texts to keep, eight bytes each: a text to calibrate on and one to evaluate on, unless they are huge. */
const mostTokens = 2 ** 24;

/** Sequences, and everything about them but their hash. */
interface Found {
  readonly corpus: string;
  readonly sequences: number[][];
  readonly origin: TextOrigin;
}

/** Makes sequences for the open model; a text is tokenised once for all measurements on it. */
export class SequenceMaker {
  readonly #model: OpenModel;
  readonly #texts: TextLibrary;
  /** Tokens of whole texts by their content; the last ones used. */
  readonly #tokens = new Recent<string, readonly number[]>(mostTokens, (ids) => ids.length);
  /** The last sequences to evaluate on: every click asks for the same. */
  #evaluated: { key: string; found: Found } | null = null;

  constructor(model: OpenModel, texts: TextLibrary) {
    this.#model = model;
    this.#texts = texts;
  }

  /** The sequences that criteria measure on. */
  async calibration(request: CalibrateRequest, task: TaskOptions): Promise<Calibration> {
    const seed = request.seed ?? defaults.seed;
    const { corpus, sequences, origin } = await this.#calibration(request, seed, task);
    const tokens = sequences.reduce((sum, sequence) => sum + sequence.length, 0);
    const seqLen = Math.max(...sequences.map((sequence) => sequence.length));
    const hash = hashSequences(sequences);
    return { sequences, info: { corpus, samples: sequences.length, seqLen, seed, tokens, hash, origin } };
  }

  async #calibration(request: CalibrateRequest, seed: number, task: TaskOptions): Promise<Found> {
    if (request.tokenIds !== undefined) return this.#given(request.tokenIds);
    const seqLen = this.#seqLen(request);
    const samples = request.samples ?? defaults.samples;
    const how = { protocol: 'calibration', seqLen, samples, seed } as const;
    if (request.text !== undefined) {
      const sequences = sequencesFromTokens(await this.#textTokens(request.text, task), how);
      return { corpus: 'text', sequences, origin: originOf('given', [request.text], 'running text') };
    }
    const name = request.corpus ?? 'calibration';
    const corpus = await this.#texts.open(name, this.#model, request.hub, task);
    if (corpus.builtIn) return this.#builtIn(name, corpus, how, task);
    const startEvery = request.addBosToEvery ?? false;
    if (corpus.texts.length > 1) {
      checkInteger('seqLen', seqLen, 2, Number.MAX_SAFE_INTEGER);
      checkInteger('samples', samples, 1, Number.MAX_SAFE_INTEGER);
      const tokenizer = this.#model.requireTokenizer();
      const { sequences, start } = await rowSequences(
        tokenizer,
        corpus.texts,
        { samples, seqLen, seed, startEvery },
        task,
      );
      return { corpus: name, sequences, origin: originIn(corpus, { protocol: 'rows', start, available: null }) };
    }
    // One document has no rows to draw: crops of it that do not overlap.
    const sequences = sequencesFromTokens(await this.#corpusTokens(corpus, task), how);
    return {
      corpus: name,
      sequences,
      origin: originIn(corpus, { protocol: 'running text', start: 'none', available: null }),
    };
  }

  /** The sequences that a perplexity is measured on: held-out text unless told otherwise. */
  async evaluation(request: Plain<PerplexityRequest>, task: TaskOptions): Promise<Sequences> {
    const { corpus, sequences, origin } = await this.#evaluation(request, task);
    const samples = request.samples ?? (origin.source === 'built-in' ? builtInSamples : undefined);
    if (samples !== undefined) checkInteger('samples', samples, 1, Number.MAX_SAFE_INTEGER);
    const tokens = request.tokenIds === undefined ? sequences.slice(0, samples) : sequences;
    const seqLen = tokens.reduce((longest, sequence) => Math.max(longest, sequence.length), 0);
    const text: TextInfo = { corpus, sequences: tokens.length, seqLen, hash: hashSequences(tokens), origin };
    const { stride } = request;
    if (request.tokenIds !== undefined || stride === undefined || stride >= seqLen) return { tokens, text };
    return { tokens, text, firstTargets: tokens.map((_, index) => (index === 0 ? 1 : seqLen - stride)) };
  }

  async #evaluation(request: Plain<PerplexityRequest>, task: TaskOptions): Promise<Found> {
    if (request.tokenIds !== undefined) return this.#given(request.tokenIds);
    const seqLen = this.#seqLen(request);
    const { stride } = request;
    const how = { protocol: 'evaluation', seqLen, stride } as const;
    if (request.text !== undefined) {
      const sequences = sequencesFromTokens(await this.#textTokens(request.text, task), how);
      return { corpus: 'text', sequences, origin: originOf('given', [request.text], 'running text', sequences.length) };
    }
    const name = request.corpus ?? 'evaluation';
    const corpus = await this.#texts.open(name, this.#model, request.hub, task);
    const startEvery = request.addBosToEvery ?? false;
    const key = JSON.stringify([name, corpus.contentHash, seqLen, stride, startEvery]);
    if (this.#evaluated?.key === key) return this.#evaluated.found;
    const found = corpus.builtIn
      ? await this.#builtIn(name, corpus, how, task)
      : await this.#joined(corpus, { seqLen, stride, startEvery }, task);
    this.#evaluated = { key, found };
    return found;
  }

  async #joined(
    corpus: Corpus,
    { seqLen, stride, startEvery }: { seqLen: number; stride: number | undefined; startEvery: boolean },
    task: TaskOptions,
  ): Promise<Found> {
    const { name } = corpus;
    checkInteger('seqLen', seqLen, 2, Number.MAX_SAFE_INTEGER);
    if (stride !== undefined && stride !== seqLen) {
      throw new LabError(
        'bad-argument',
        `stride: sequences of the corpus '${name}' do not overlap, as in the paper, got ${stride}.`,
        'Omit it, or pass the text itself as text.',
      );
    }
    this.#checkContext(startEvery ? seqLen + 1 : seqLen);
    const ids = await this.#corpusTokens(corpus, task);
    const { sequences, start } = joinedSequences(this.#model.requireTokenizer(), ids, { seqLen, startEvery });
    return {
      corpus: name,
      sequences,
      origin: originIn(corpus, { protocol: 'joined', start, available: sequences.length }),
    };
  }

  /** The stories begin with `<s>` for the model that was trained so; any other tokenizer reads a running text. */
  async #builtIn(
    name: string,
    corpus: Corpus,
    how: Parameters<typeof sequencesFromTokens>[1],
    task: TaskOptions,
  ): Promise<Found> {
    const stories = this.#model.info.id === 'demo';
    const sequences = stories
      ? await sequencesFromText(this.#model.requireTokenizer(), corpus.texts[0]!, { ...how, kind: 'stories' }, task)
      : sequencesFromTokens(await this.#textTokens(corpus.texts[0]!, task), how);
    const available = how.protocol === 'evaluation' ? sequences.length : null;
    const protocol = stories ? 'stories' : 'running text';
    return { corpus: name, sequences, origin: originIn(corpus, { protocol, start: 'none', available }) };
  }

  #given(tokenIds: number[][]): Found {
    const { vocab, maxPositions } = this.#model.info.shape;
    const sequences = checkSequences(tokenIds, vocab, maxPositions);
    return { corpus: 'tokenIds', sequences, origin: originOf('given', [], 'given', sequences.length) };
  }

  async #textTokens(text: string, task: TaskOptions): Promise<readonly number[]> {
    const tokenizer = this.#model.requireTokenizer();
    if (typeof text === 'string') return tokenizer.encode(text, task);
    throw new LabError('bad-argument', `text: expected a string, got ${typeof text}.`, 'Pass text or tokenIds.');
  }

  async #corpusTokens({ contentHash, texts }: Corpus, task: TaskOptions): Promise<readonly number[]> {
    const known = this.#tokens.get(contentHash);
    if (known) return known;
    const tokenizer = this.#model.requireTokenizer();
    const ids = await joinedTokens(tokenizer, texts, task);
    this.#tokens.set(contentHash, ids);
    return ids;
  }

  #seqLen({ seqLen }: CorpusRequest): number {
    this.#model.requireTokenizer();
    const chosen = seqLen ?? Math.min(defaults.seqLen, this.#model.info.shape.maxPositions);
    this.#checkContext(chosen);
    return chosen;
  }

  /** Positions beyond the context were never trained, and have no rotary table in the graph. */
  #checkContext(length: number): void {
    const { maxPositions } = this.#model.info.shape;
    if (length <= maxPositions) return;
    throw new LabError(
      'bad-argument',
      `seqLen: the model's context is ${maxPositions} tokens, got ${length}.`,
      'Use a smaller seqLen.',
    );
  }
}

function originIn(
  { source, texts, contentHash }: Corpus,
  made: Pick<TextOrigin, 'protocol' | 'start' | 'available'>,
): TextOrigin {
  return { source, documents: texts.length, contentHash, ...made };
}

function originOf(
  source: string,
  texts: readonly string[],
  protocol: TextOrigin['protocol'],
  available: number | null = null,
): TextOrigin {
  return { source, documents: texts.length, contentHash: hashDocuments(texts), protocol, start: 'none', available };
}

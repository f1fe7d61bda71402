/** @file Which runtime writes a text: the WGSL engine over the weights that it holds, or ONNX Runtime where that is better. */

import type { DeviceLabel } from '../../benchmark/deviceLabel';
import { continueText, type GenerateTokensOptions, sessionText, type TextModel } from '../../benchmark/generate';
import type { OrtRuntime, OrtSession } from '../../benchmark/session';
import { modelParameters } from '../../model/count';
import type { ModelShape } from '../../model/shape';
import type { Runtime } from '../../report/results';
import type { Progress, TaskOptions } from '../../task';
import type { Tokenizer } from '../../text/tokenizer';
import type { GenerateOptions, GenerateResult } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import type { EngineHandle } from './gpu';
import type { OpenModel } from './models';
import { sessionBudget, sessionBytes } from './sessionBudget';

/**
 * Models of at most so many weights are written by the engine where the GPU is emulated. The demo (2.4 million), 60 tokens on SwiftShader:
 * 1.6 s by the engine; by ONNX Runtime on wasm 8.5 s for the first text, 1.5 to 2.5 s after a new cut, 0.6 s after that. The bound
 * itself is an estimate: no model between the demo and 135 million weights was timed.
 */
const fewWeights = 8e6;
/** Part of the one wasm heap that a session may take which is opened for a text alone, and for a cut after a cut. */
const textShare = 1 / 4;

/** What a text needs: the shape's session of a runtime, and the engine. */
export interface Writers {
  session<T>(runtime: OrtRuntime, work: (session: OrtSession) => Promise<T>): Promise<T>;
  engine(): Promise<EngineHandle>;
}

/**
 * The runtime that writes unless one is named: the WGSL engine wherever there is WebGPU, for it has the weights already. Where the
 * GPU is emulated, ONNX Runtime on the CPU for models of which it is faster and which fit well beside others.
 */
export function writingRuntime(shape: ModelShape, device: { readonly software: boolean } | null): Runtime {
  if (device === null) return 'ort-wasm';
  const weights = modelParameters(shape);
  if (!device.software || weights <= fewWeights) return 'wgsl';
  const fits = sessionBytes('ort-wasm', 4 * weights) <= sessionBudget('ort-wasm', null) * textShare;
  return fits ? 'ort-wasm' : 'wgsl';
}

/** The engine as a model that can write under the shape's layers. */
export function engineText({ engine }: Pick<EngineHandle, 'engine'>, shape: ModelShape): TextModel {
  return { maxPositions: shape.maxPositions, open: (positions) => engine.decoder(shape.layers, { positions }) };
}

/** Writes what follows the prompt, and says with each token what there is so far. */
export async function writeText(
  model: Pick<OpenModel, 'endsOfText' | 'promptIds'> & { requireTokenizer(): Pick<Tokenizer, 'decode'> },
  shape: ModelShape,
  writers: Writers,
  prompt: string,
  { runtime, ...options }: Plain<GenerateOptions> & { runtime: Runtime },
  task: TaskOptions,
): Promise<GenerateResult> {
  const tokenizer = model.requireTokenizer();
  const prefix = await model.promptIds(prompt, task.signal);
  const sofar: number[] = [];
  const { temperature = 0, newTokens = 64, seed = 0, topK, topP } = options;
  // An empty prompt leaves nothing to go on from: its text begins as the tokenizer begins one.
  const written = (ids: readonly number[]) => decodeAfter(tokenizer, prompt === '' ? [] : prefix.slice(-1), ids);
  const growing = task.onProgress && new GrowingText(written, sofar, task.onProgress);
  const how: GenerateTokensOptions = {
    ...{ temperature, newTokens, seed, topK, topP, signal: task.signal },
    stopTokens: model.endsOfText,
    onToken: (id) => sofar.push(id),
    onProgress: growing && ((progress) => growing.report(progress)),
  };
  const write = async (text: TextModel, device: DeviceLabel): Promise<GenerateResult> => {
    sofar.length = 0; // where a session ran out of memory, it is begun once more
    const tokenIds = await continueText(text, prefix, how);
    await growing?.settled();
    return { text: await written(tokenIds), tokenIds, runtime, device };
  };
  try {
    if (runtime === 'wgsl') {
      const handle = await writers.engine();
      return await write(engineText(handle, shape), handle.label);
    }
    return await writers.session(runtime, (session) => write(sessionText(session), session.device));
  } finally {
    growing?.close();
  }
}

/**
 * The text that tokens add behind others, as transformers' pipeline has it: a decoder may drop the space that a text begins
 * with, so that tokens decoded alone would lose the one that parts them from the prompt.
 */
async function decodeAfter(
  tokenizer: Pick<Tokenizer, 'decode'>,
  before: readonly number[],
  ids: readonly number[],
): Promise<string> {
  if (before.length === 0) return tokenizer.decode(ids);
  const start = await tokenizer.decode(before);
  const whole = await tokenizer.decode([...before, ...ids]);
  // Bytes on both sides may have become one letter.
  return whole.startsWith(start) ? whole.slice(start.length) : tokenizer.decode(ids);
}

/** Reports with the text so far: one decoding at a time, and always of the newest tokens. */
class GrowingText {
  readonly #written: (ids: readonly number[]) => Promise<string>;
  readonly #tokens: readonly number[];
  readonly #onProgress: (progress: Progress) => void;
  #newest: Progress | null = null;
  #decoding: Promise<void> | null = null;
  #closed = false;

  constructor(
    written: (ids: readonly number[]) => Promise<string>,
    tokens: readonly number[],
    onProgress: (progress: Progress) => void,
  ) {
    this.#written = written;
    this.#tokens = tokens;
    this.#onProgress = onProgress;
  }

  report(progress: Progress): void {
    this.#newest = progress;
    if (this.#decoding !== null) return;
    this.#decoding = this.#decode();
    this.#decoding.catch(() => undefined); // a listener that throws is heard of where the text ends
  }

  /** Resolves when everything was reported. */
  async settled(): Promise<void> {
    await this.#decoding;
  }

  /** Nothing more is reported. */
  close(): void {
    this.#closed = true;
  }

  async #decode(): Promise<void> {
    while (this.#newest !== null && !this.#closed) {
      const progress = this.#newest;
      this.#newest = null;
      const text = await this.#shown();
      if (!this.#closed) this.#onProgress({ ...progress, text });
    }
    this.#decoding = null;
  }

  /** What is there, without the half of a letter at its end; nothing where it cannot be decoded: the text itself will say so. */
  async #shown(): Promise<string> {
    try {
      return (await this.#written([...this.#tokens])).replace(/\uFFFD+$/, '');
    } catch {
      return '';
    }
  }
}

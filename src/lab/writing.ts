/** @file Which runtime writes a text: the WGSL engine over the weights that it holds, or ONNX Runtime where that is better. */
import { continueText, type GenerateTokensOptions, generateTokens, type TextModel } from '../benchmark/generate';
import type { OrtRuntime, OrtSession } from '../benchmark/session';
import type { DeviceLabel } from '../importance/types';
import { modelParameters } from '../model/count';
import type { ModelShape } from '../model/shape';
import type { TaskOptions } from '../task';
import type { EngineHandle } from './gpu';
import type { OpenModel } from './models';
import { sessionBudget, sessionBytes } from './sessionBudget';
import type { GenerateOptions, GenerateResult, Runtime } from './types';

/**
 * Where the GPU is emulated, ONNX Runtime on the CPU computes a token of a larger model some ten times sooner (135 million weights,
 * tried). For one of so few weights it does not, and its session opens first: the demo's first text took twice as long.
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
  model: Pick<OpenModel, 'endsOfText' | 'promptIds' | 'requireTokenizer'>,
  shape: ModelShape,
  writers: Writers,
  prompt: string,
  { runtime, ...options }: Omit<GenerateOptions, keyof TaskOptions> & { runtime: Runtime },
  task: TaskOptions,
): Promise<GenerateResult> {
  const tokenizer = model.requireTokenizer();
  const prefix = model.promptIds(prompt);
  const sofar: number[] = [];
  const { temperature = 0, newTokens = 64, seed = 0, topK, topP } = options;
  const { onProgress } = task;
  const how: GenerateTokensOptions = {
    ...{ temperature, newTokens, seed, topK, topP, signal: task.signal },
    stopTokens: model.endsOfText,
    onToken: (id) => sofar.push(id),
    // Decoded only where somebody reads it: most reports are dropped on their way to the page.
    onProgress: onProgress && ((progress) => onProgress(withText(progress, () => shownText(tokenizer.decode(sofar))))),
  };
  const result = (tokenIds: number[], device: DeviceLabel): GenerateResult => ({
    text: tokenizer.decode(tokenIds),
    tokenIds,
    runtime,
    device,
  });
  if (runtime === 'wgsl') {
    const handle = await writers.engine();
    return result(await continueText(engineText(handle, shape), prefix, how), handle.label);
  }
  return writers.session(runtime, async (session) => {
    sofar.length = 0; // where memory ran out, it is begun once more
    return result(await generateTokens(session, prefix, how), session.device);
  });
}

/** A report whose `text` is made when it is read, as by the message that carries it to the page. */
function withText<P extends object>(progress: P, text: () => string): P & { readonly text: string } {
  return Object.defineProperty({ ...progress } as P & { readonly text: string }, 'text', {
    enumerable: true,
    get: text,
  });
}

/** A text that is still being written, without the half of a letter at its end. */
function shownText(text: string): string {
  return text.replace(/\uFFFD+$/, '');
}

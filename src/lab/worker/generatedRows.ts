/** @file Text that the base writes itself, as rows to train on: each drawn token by token from the model's start token on. */
import { sampleToken } from '../../benchmark/sampling';
import { LabError, throwIfAborted } from '../../errors';
import type { ModelView } from '../../model/view';
import { createRandom, mixSeed } from '../../numerics/random';
import type { TrainingRow } from '../../retrain/rows';
import type { TaskOptions } from '../../task';
import type { GeneratedText } from '../contract/retraining';
import type { Gpu } from './gpu';
import type { OpenModel } from './models';

export interface Writer {
  readonly model: Pick<OpenModel, 'promptIds' | 'endsOfText'>;
  readonly gpu: Pick<Gpu, 'engine'>;
  /** The unpruned model. */
  readonly base: ModelView;
}

/**
 * Rows of exactly `seqLen` tokens. Where a text ends within a row, the start token and the next text follow, as texts follow one
 * another in a pretraining corpus. Each row has a seed of its own: the same seed gives the same rows on the same adapter, however
 * many rows are asked for.
 * @throws LabError 'no-webgpu', 'bad-tokenizer' for a model without a start token, 'aborted' between two tokens
 */
export async function generatedRows(
  { model, gpu, base }: Writer,
  { rows: count, seqLen, temperature = 1, topK, seed }: GeneratedText & { readonly seed: number },
  { signal, onProgress }: TaskOptions,
): Promise<TrainingRow[]> {
  const start = await model.promptIds('', signal);
  if (start.length === 0) throw noStart();
  const handle = await gpu.engine({ signal, onProgress }, base);
  if (handle === null) throw needsGpu();
  const { engine } = handle;
  const rows: TrainingRow[] = [];
  const report = (done: number): void =>
    onProgress?.({ stage: 'The base writes its text', done, total: count * seqLen, unit: 'tokens' });
  while (rows.length < count) {
    const random = createRandom(mixSeed(seed, rows.length));
    const decoder = engine.decoder(base.shape.layers, { positions: seqLen });
    try {
      const tokens = start.slice(0, seqLen);
      let fresh: readonly number[] = [...tokens];
      while (tokens.length < seqLen) {
        throwIfAborted(signal, 'Writing the text to train on');
        const logits = await decoder.logits(fresh, { signal });
        const token = sampleToken(logits, { temperature, topK }, random);
        // The demo's texts end with the token that the next one starts with.
        const ends = model.endsOfText.includes(token) && !start.includes(token);
        fresh = (ends ? [token, ...start] : [token]).slice(0, seqLen - tokens.length);
        tokens.push(...fresh);
        report(rows.length * seqLen + tokens.length);
      }
      rows.push({ tokens, firstTarget: 1 });
    } finally {
      decoder.close();
    }
  }
  return rows;
}

function noStart(): LabError {
  return new LabError(
    'bad-tokenizer',
    'generated: this model names no token that begins a text, so the base has nothing to go on from.',
    'Train on a corpus or on a text of your own.',
  );
}

function needsGpu(): LabError {
  return new LabError(
    'no-webgpu',
    'The base writes its text on the GPU, and this browser has no WebGPU.',
    'Open the page in a browser with WebGPU, or train on a corpus.',
  );
}

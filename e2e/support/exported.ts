/** @file Runs exported ONNX files in an independent runtime. */

import type { Page } from '@playwright/test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelShape } from '../../src/model/shape';
import type { TokenSequences } from '../../src/numerics/tokens';

const int64 = (values: readonly number[], dims: readonly number[]) =>
  new Tensor('int64', BigInt64Array.from(values, BigInt), dims);

/** Files of `lab.export` by name. */
export async function exportFiles(
  page: Page,
  id: string,
  format: 'onnx' | 'transformers.js' = 'onnx',
  dtype?: 'f32' | 'f16',
): Promise<Map<string, Buffer>> {
  const asked = { variant: id, format, options: dtype ? { dtype } : {} };
  const files = await page.evaluate(async ({ variant, format, options }) => {
    const list = await window.lab.export(variant, format, options);
    const encode = async (file: File): Promise<[string, string]> => {
      const url = await new Promise<string>((resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result as string);
        reader.readAsDataURL(file);
      });
      return [file.name, url.slice(url.indexOf(',') + 1)];
    };
    return Promise.all(list.map(encode));
  }, asked);
  return new Map(files.map(([name, base64]) => [name, Buffer.from(base64, 'base64')]));
}

/** Perplexity of sequences of one length, each scored on its own, by onnxruntime-node. */
export async function exportedPerplexity(
  files: ReadonlyMap<string, Buffer>,
  shape: ModelShape,
  sequences: TokenSequences,
): Promise<number> {
  const model = files.get('model.onnx')!;
  const externalData = [{ path: 'model.onnx_data', data: files.get('model.onnx_data')! }];
  const session = await InferenceSession.create(model, { externalData, logSeverityLevel: 3 });
  const [batch, seqLen] = [sequences.length, sequences[0]!.length];
  const feeds: Record<string, Tensor> = {
    input_ids: int64(sequences.flat(), [batch, seqLen]),
    logit_rows: int64([...Array(batch * seqLen).keys()], [batch * seqLen]),
    position_ids: int64(
      sequences.flatMap((sequence) => [...sequence.keys()]),
      [batch, seqLen],
    ),
    seqlens_k: new Tensor('int32', new Int32Array(batch).fill(seqLen - 1), [batch]),
    total_sequence_length: new Tensor('int32', Int32Array.of(seqLen), []),
  };
  shape.layers.forEach(({ heads, kvHeads, headDim }, index) => {
    if (heads === 0) return;
    const dims = [batch, kvHeads, 0, headDim];
    for (const kind of ['key', 'value'])
      feeds[`past_${kind}_${index}`] = new Tensor('float32', new Float32Array(0), dims);
  });
  const wanted = session.inputNames.map((name) => [name, feeds[name]!] as const);
  const logits = (await session.run(Object.fromEntries(wanted), ['logits']))['logits']!.data as Float32Array;
  let sum = 0;
  for (const [index, sequence] of sequences.entries()) {
    for (let position = 0; position < seqLen - 1; position += 1) {
      const first = (index * seqLen + position) * shape.vocab;
      const row = logits.subarray(first, first + shape.vocab);
      const top = row.reduce((a, b) => Math.max(a, b));
      const lse = top + Math.log(row.reduce((total, value) => total + Math.exp(value - top), 0));
      sum += lse - row[sequence[position + 1]!]!;
    }
  }
  return Math.exp(sum / (batch * (seqLen - 1)));
}

/** @file Runs a graph in transformers.js's layout on onnxruntime-node, with a growing cache and padding on the left. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelShape } from '../../model/shape';
import type { ModelGraph } from '../graph';

export interface RunningMasked {
  /**
   * Feeds the next tokens and gives the logits of the last `kept` tokens of each sequence, all of them for 0: [batch · kept, vocab].
   * Sequences of other lengths are padded on the left, in the first step alone.
   */
  step(tokens: readonly (readonly number[])[], kept?: number): Promise<Float32Array>;
}

const int64 = (values: readonly number[], dims: readonly number[]) =>
  new Tensor('int64', BigInt64Array.from(values, BigInt), dims);

export async function openMasked(
  { model, report }: ModelGraph,
  { layers }: ModelShape,
  externalData: { path: string; data: Uint8Array }[],
): Promise<RunningMasked> {
  const session = await InferenceSession.create(model, { externalData, logSeverityLevel: 3, intraOpNumThreads: 1 });
  const names = report.cachedLayers.flatMap((index) =>
    ['key', 'value'].map((kind) => ({
      index,
      past: `past_key_values.${index}.${kind}`,
      present: `present.${index}.${kind}`,
    })),
  );
  let cache: Record<string, Tensor> | null = null;
  let mask: number[][] = [];
  return {
    async step(tokens, kept = 0) {
      const length = Math.max(...tokens.map((each) => each.length));
      const ids = tokens.map((each) => [...Array<number>(length - each.length).fill(3), ...each]);
      const seen = tokens.map((each) => [...Array<number>(length - each.length).fill(0), ...each.map(() => 1)]);
      mask = seen.map((row, at) => [...(mask[at] ?? []), ...row]);
      cache ??= Object.fromEntries(
        names.map(({ index, past }) => {
          const { kvHeads, headDim } = layers[index]!;
          return [past, new Tensor('float32', new Float32Array(0), [tokens.length, kvHeads, 0, headDim])];
        }),
      );
      const feeds: Record<string, Tensor> = { ...cache, input_ids: int64(ids.flat(), [ids.length, length]) };
      feeds['attention_mask'] = int64(mask.flat(), [mask.length, mask[0]!.length]);
      feeds['num_logits_to_keep'] = int64([kept], []);
      const inputs = new Set(session.inputNames);
      const outputs = await session.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => inputs.has(name))));
      cache = Object.fromEntries(names.map(({ past, present }) => [past, outputs[present]!]));
      return outputs['logits']!.data as Float32Array;
    },
  };
}

/** @file Runs a graph on onnxruntime-node, an independent runtime, with a growing cache. */

import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelShape } from '../../model/shape';
import type { TokenSequences } from '../../numerics/tokens';
import type { ModelGraph } from '../graph';

export interface RunningGraph {
  /** Feeds the next tokens [batch][seqLen] and gives the logits [n, vocab] of `rows` (default: all of them). */
  step(tokens: TokenSequences, rows?: readonly number[]): Promise<Float32Array>;
}

const int64 = (values: readonly number[], dims: readonly number[]) =>
  new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
const int32 = (values: readonly number[], dims: readonly number[]) =>
  new Tensor('int32', Int32Array.from(values), dims);

/** Opens `graph` with its files given as bytes. */
export async function openGraph(graph: ModelGraph, shape: ModelShape): Promise<RunningGraph> {
  const externalData = await Promise.all(
    graph.externalFiles.map(async (path) => ({
      path,
      data: new Uint8Array(await (await graph.file(path)).arrayBuffer()),
    })),
  );
  const session = await InferenceSession.create(graph.model, {
    externalData,
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
  });
  const float16 = graph.report.precision === 'f16';
  let cache: Record<string, Tensor> = {};
  let past = 0;
  return {
    async step(tokens, rows) {
      const batch = tokens.length;
      const seqLen = tokens[0]!.length;
      if (past === 0) {
        for (const index of graph.report.cachedLayers) {
          const { kvHeads, headDim } = shape.layers[index]!;
          for (const kind of ['key', 'value']) {
            const none = float16 ? new Uint16Array(0) : new Float32Array(0);
            const type = float16 ? 'float16' : 'float32';
            cache[`past_${kind}_${index}`] = new Tensor(type, none, [batch, kvHeads, 0, headDim]);
          }
        }
      }
      const total = past + seqLen;
      const chosen = rows ?? Array.from({ length: batch * seqLen }, (_, row) => row);
      const positions = Array.from({ length: batch * seqLen }, (_, row) => past + (row % seqLen));
      const feeds: Record<string, Tensor> = { ...cache, input_ids: int64(tokens.flat(), [batch, seqLen]) };
      feeds['logit_rows'] = int64(chosen, [chosen.length]);
      feeds['seqlens_k'] = int32(Array(batch).fill(total - 1), [batch]);
      feeds['total_sequence_length'] = int32([total], []);
      feeds['position_ids'] = int64(positions, [batch, seqLen]);
      const declared = new Set(graph.report.inputs.map(({ name }) => name));
      const outputs = await session.run(
        Object.fromEntries(Object.entries(feeds).filter(([name]) => declared.has(name))),
      );
      past = total;
      cache = Object.fromEntries(
        graph.report.cachedLayers.flatMap((index) =>
          ['key', 'value'].map((kind) => [`past_${kind}_${index}`, outputs[`present_${kind}_${index}`]!]),
        ),
      );
      return outputs['logits']!.data as Float32Array;
    },
  };
}

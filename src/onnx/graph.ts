/** @file A model's ONNX graph: a small proto whose weights stay in the checkpoint's own files. */
import { LabError } from '../errors';
import { type Feature, refuseFeatures } from '../model/features';
import {
  type LayerRole,
  type LayerShape,
  layerWeightDims,
  type ModelRole,
  type ModelShape,
  modelWeightDims,
} from '../model/shape';
import { bytesPerElement, type TensorRef, type WeightSource } from '../model/weights';
import { attentionBlock, rotatesSeparately } from './attention';
import { embedding, type GraphContext, head, mlpBlock, type Stream } from './blocks';
import { createGraph, type ValueInfo } from './builder';
import { groupQueryTakes } from './composedAttention';
import { widenBf16 } from './widen';

export interface GraphOptions {
  /** Longest sequence that the graph can run (rows of the rotary tables). */
  maxPositions: number;
  /** Variant's name, for the metadata. */
  name?: string;
  /** Further metadata of the ModelProto: where the weights come from, what was removed. */
  metadata?: Readonly<Record<string, string>>;
  /** Rotate with RotaryEmbedding nodes everywhere, also where the attention node could: same numbers. */
  separateRotary?: boolean;
}

export interface GraphReport {
  readonly nodes: number;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Indices into `shape.layers` of the layers that have a cache: `past_key_i`, `present_key_i`, … */
  readonly cachedLayers: readonly number[];
  /** Past and present may be the same buffers, of full length. Else present is past with the new tokens behind it, a buffer of its own. */
  readonly staticCache: boolean;
  /** The graph takes `position_ids` [batch, seqLen]. */
  readonly positionIds: boolean;
  readonly maxPositions: number;
  /** Bytes of all weights as the runtime holds them, in f32. */
  readonly weightBytes: number;
  /** Bytes of the largest weight as the runtime holds it. */
  readonly largestWeightBytes: number;
}

export interface ModelGraph {
  /** The serialized ModelProto. */
  readonly model: Uint8Array<ArrayBuffer>;
  /** Files that the graph's weights lie in, to be beside model.onnx. */
  readonly externalFiles: readonly string[];
  /** One of `externalFiles`. */
  file(name: string, signal?: AbortSignal): Promise<Blob>;
  readonly report: GraphReport;
}

const elements = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);

function checkTensor(where: string, ref: TensorRef, dims: readonly number[]): void {
  if (ref.dims.join() !== dims.join() || ref.end - ref.begin !== elements(dims) * bytesPerElement[ref.dtype]) {
    throw new LabError(
      'bad-weights',
      `${where} (${ref.name}): expected [${dims.join(', ')}], got [${ref.dims.join(', ')}] in ${ref.end - ref.begin} bytes of ${ref.dtype}.`,
      'Are config.json and the weights from the same revision?',
    );
  }
}

function checkOptions({ maxPositions }: GraphOptions): void {
  if (Number.isInteger(maxPositions) && maxPositions > 0) return;
  throw new LabError(
    'bad-argument',
    `buildGraph: expected a positive number of positions, got ${maxPositions}.`,
    'Ask for the longest sequence that you will run.',
  );
}

/** Features that the graph's nodes do not compute. */
const graphLacks: readonly Feature[] = [];

/**
 * The graph of `shape`. Inputs: input_ids int64 [batch, seqLen], logit_rows int64 [n] (indices into batch·seqLen rows),
 * seqlens_k int32 [batch] (length so far − 1) and total_sequence_length int32 [] where an attention node reads them,
 * position_ids int64 [batch, seqLen] where `report.positionIds`, past_key_i and past_value_i [batch, kvHeads, past, headDim].
 * Outputs: logits [n, vocab], present_key_i, present_value_i. Throws 'unsupported-architecture', 'bad-weights', 'bad-argument'.
 */
export function buildGraph(shape: ModelShape, weights: WeightSource, options: GraphOptions): ModelGraph {
  checkOptions(options);
  refuseFeatures(shape, graphLacks, 'the ONNX graph');
  const source = widenBf16(shape, weights);
  const graph = createGraph();
  const files = new Set<string>();
  const made = new Map<string, string>();
  const separateRotary = options.separateRotary ?? false;
  let weightBytes = 0;
  let largestWeightBytes = 0;

  const once = (name: string, make: () => string): string => {
    const value = made.get(name) ?? make();
    made.set(name, value);
    return value;
  };
  const weight = (name: string, ref: TensorRef, dims: readonly number[]): string =>
    once(name, () => {
      checkTensor(name, ref, dims);
      files.add(ref.file);
      weightBytes += 4 * elements(dims);
      largestWeightBytes = Math.max(largestWeightBytes, 4 * elements(dims));
      const range = { location: ref.file, offset: ref.begin, length: ref.end - ref.begin };
      if (ref.dtype === 'F32') return graph.external(name, 'float32', dims, range);
      const stored = graph.external(`${name}.f16`, 'float16', dims, range);
      return graph.node(name, 'Cast', [stored], { ints: { to: 1 } });
    });
  const context: GraphContext = {
    graph,
    shape,
    maxPositions: options.maxPositions,
    separateRotary,
    once,
    // Named after the source block, so that the same weight has the same name in every variant.
    layerWeight: (role: LayerRole, layer: LayerShape) =>
      weight(
        `block${layer.source}.${role}`,
        source.layerTensor(role, layer.source),
        layerWeightDims(shape, layer, role),
      ),
    modelWeight: (role: ModelRole) => weight(role, source.modelTensor(role), modelWeightDims(shape, role)),
  };

  const cachedLayers = shape.layers.flatMap((layer, index) => (layer.heads > 0 ? [index] : []));
  const positionIds = shape.layers.some((layer) => rotatesSeparately(layer, separateRotary));
  graph.input({ name: 'input_ids', type: 'int64', dims: ['batch', 'seqLen'] });
  graph.input({ name: 'logit_rows', type: 'int64', dims: ['logit_rows'] });
  if (positionIds) graph.input({ name: 'position_ids', type: 'int64', dims: ['batch', 'seqLen'] });
  const groupQueries = cachedLayers.map((index) => groupQueryTakes(shape.layers[index]!.headDim));
  if (groupQueries.includes(true)) {
    graph.input({ name: 'seqlens_k', type: 'int32', dims: ['batch'] });
    graph.input({ name: 'total_sequence_length', type: 'int32', dims: [] });
  }

  let stream: Stream = embedding(context);
  shape.layers.forEach((layer, index) => {
    if (layer.heads > 0) stream = attentionBlock(context, index, layer, stream);
    if (layer.ffn > 0) stream = mlpBlock(context, index, layer, stream);
  });
  head(context, stream);

  const name = options.name ?? 'model';
  const model = graph.finish({
    name,
    metadata: { variant: name, family: shape.family, max_positions: String(options.maxPositions), ...options.metadata },
  });
  const { nodes, inputs, outputs } = graph;
  const { maxPositions } = options;
  const staticCache = !groupQueries.includes(false);
  return {
    model,
    externalFiles: [...files],
    file: (wanted, signal) => source.file(wanted, signal),
    report: {
      nodes,
      inputs,
      outputs,
      cachedLayers,
      staticCache,
      positionIds,
      maxPositions,
      weightBytes,
      largestWeightBytes,
    },
  };
}

/** @file A model's ONNX graph: a small proto whose weights stay in the checkpoint's own files. */
import { LabError } from '../errors';
import { type Feature, refuseFeatures } from '../model/features';
import {
  isBias,
  type LayerRole,
  type LayerShape,
  layerWeightDims,
  type ModelShape,
  modelWeightDims,
} from '../model/shape';
import { bytesPerElement, type TensorRef } from '../model/weights';
import type { ScaledSource } from '../weights/narrowed';
import { widened } from '../weights/widened';
import { attentionBlock, rotatesSeparately } from './attention';
import { embedding, head, mlpBlock, scalar } from './blocks';
import { createGraph, type ValueInfo } from './builder';
import type { GraphContext, GraphLayout, Matrix, Residual } from './context';
import { timedLayout } from './timedLayout';

/**
 * 'f32': weights are widened once, at creation, and everything is computed in f32. 'f16-weights': 16-bit matrices stay
 * so and are widened one at a time, when their product runs; computed in f32, the same numbers. 'f16': weights,
 * activations and cache are f16, and products accumulate in it where the runtime does so.
 */
export type GraphPrecision = 'f32' | 'f16-weights' | 'f16';

/** A part of a matrix that is wide while its product runs: less than the smallest bound of a buffer, 128 MiB. */
export const widenedAtOnce = 2 ** 26;

export interface GraphOptions {
  /** Longest sequence that the graph can run (rows of the rotary tables). */
  maxPositions: number;
  /** Variant's name, for the metadata. */
  name?: string;
  /** Further metadata of the ModelProto: where the weights come from, what was removed. */
  metadata?: Readonly<Record<string, string>>;
  /** Default 'f32'. Others need a source whose matrices are F16 or F32: see `weights/narrowed`. */
  precision?: GraphPrecision;
  /** Bytes of f32 that a matrix which stays 16 bits is widened to at a time. Default `widenedAtOnce`. */
  widenUpTo?: number;
  /** Rotate with RotaryEmbedding nodes everywhere, also where the attention node could: same numbers. */
  separateRotary?: boolean;
  /** Inputs, cache and logits as callers see them. Default: `timedLayout`. */
  layout?: GraphLayout;
}

export interface GraphReport {
  readonly nodes: number;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Indices into `shape.layers` of the layers that have a cache. */
  readonly cachedLayers: readonly number[];
  /** Past and present may be the same buffers, of full length. Else present is past with the new tokens behind it, a buffer of its own. */
  readonly staticCache: boolean;
  /** The graph takes `position_ids` [batch, seqLen]. */
  readonly positionIds: boolean;
  readonly maxPositions: number;
  readonly precision: GraphPrecision;
  /** Bytes of all weights as the runtime holds them from run to run. */
  readonly weightBytes: number;
  /** Bytes of the largest weight in any form that the runtime binds. */
  readonly largestWeightBytes: number;
  /** Bytes of the largest part of a matrix that is widened while its product runs; 0 where none is. */
  readonly widenedBytes: number;
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
    'Pass the length of the longest sequence that you will run.',
  );
}

/** Features that the graph's nodes do not compute. */
const graphLacks: readonly Feature[] = [];

/**
 * The graph of `shape` in the layout asked for. Throws 'unsupported-architecture', 'bad-weights', 'bad-argument'.
 */
export function buildGraph(shape: ModelShape, weights: ScaledSource, options: GraphOptions): ModelGraph {
  checkOptions(options);
  refuseFeatures(shape, graphLacks, 'the ONNX graph');
  const source = widened(shape, weights);
  const graph = createGraph();
  const files = new Set<string>();
  const made = new Map<string, string>();
  const precision = options.precision ?? 'f32';
  const element = precision === 'f16' ? 'float16' : 'float32';
  const scaleOf = (ref: TensorRef): number => (precision === 'f32' ? 1 : (weights.scale?.(ref) ?? 1));
  const widenUpTo = options.widenUpTo ?? widenedAtOnce;
  const separateRotary = options.separateRotary ?? false;
  const layout = options.layout ?? timedLayout;
  let weightBytes = 0;
  let largestWeightBytes = 0;
  let widenedBytes = 0;

  const once = (name: string, make: () => string): string => {
    const value = made.get(name) ?? make();
    made.set(name, value);
    return value;
  };
  const external = (name: string, ref: TensorRef, dims: readonly number[]): 'float32' | 'float16' => {
    checkTensor(name, ref, dims);
    files.add(ref.file);
    const type = ref.dtype === 'F32' ? 'float32' : 'float16';
    graph.external(name, type, dims, { location: ref.file, offset: ref.begin, length: ref.end - ref.begin });
    return type;
  };
  const holds = (bytes: number, largest = bytes): void => {
    weightBytes += bytes;
    largestWeightBytes = Math.max(largestWeightBytes, largest);
  };
  const cast = (name: string, value: string, to: 'float32' | 'float16') =>
    graph.node(name, 'Cast', [value], { ints: { to: to === 'float32' ? 1 : 10 } });

  /** Runtimes fold what is done to a vector once, at creation. */
  const vector = (name: string, ref: TensorRef, dims: readonly number[], offset: number | undefined): string =>
    once(name, () => {
      const plain = ref.dtype === 'F32' && offset === undefined && element === 'float32';
      const stored = plain ? name : `${name}.stored`;
      const type = external(stored, ref, dims);
      holds((element === 'float32' ? 4 : 2) * elements(dims));
      if (plain) return name;
      const steps: ((to: string, from: string) => string)[] = [];
      if (type === 'float16' && (element === 'float32' || offset !== undefined)) {
        steps.push((to, from) => cast(to, from, 'float32'));
      }
      if (offset !== undefined) {
        steps.push((to, from) => graph.node(to, 'Add', [from, scalar(context, offset, 'float32')]));
      }
      if (element === 'float16' && (type === 'float32' || offset !== undefined)) {
        steps.push((to, from) => cast(to, from, 'float16'));
      }
      return steps.reduce((from, step, at) => step(at === steps.length - 1 ? name : `${name}.${at}`, from), stored);
    });
  const matrices = new Map<string, Matrix>();
  const matrix = (name: string, ref: TensorRef, dims: readonly number[]): Matrix => {
    const known = matrices.get(name);
    if (known) return known;
    const narrow = ref.dtype !== 'F32';
    const chained = narrow && precision === 'f16-weights';
    const folded = narrow && precision === 'f32';
    const initializer = folded ? `${name}.f16` : name;
    external(initializer, ref, dims);
    if (!narrow && precision === 'f16') {
      throw new LabError('internal', `${name}: an F32 matrix in an f16 graph.`, 'Please report this bug.');
    }
    const wide = 4 * elements(dims);
    const [rows, columns] = [dims[0]!, dims[1]!];
    const widened = Math.max(1, Math.min(rows, Math.floor(widenUpTo / (4 * columns))));
    if (chained) {
      // Of an embedding that is no head only rows are read, and widened.
      const atOnce = name === 'embed' && !shape.tiedHead ? 0 : 4 * widened * columns;
      holds(wide / 2, Math.max(wide / 2, atOnce));
      widenedBytes = Math.max(widenedBytes, atOnce);
    } else holds(narrow && !folded ? wide / 2 : wide);
    const value = folded ? cast(name, initializer, 'float32') : name;
    const made = { name, value, chained, rows, widened, scale: scaleOf(ref) };
    matrices.set(name, made);
    return made;
  };
  // Named after the source block, so that the same weight has the same name in every variant.
  const nameOf = (role: LayerRole, layer: LayerShape) => `block${layer.source}.${role}`;
  const context: GraphContext = {
    graph,
    shape,
    maxPositions: options.maxPositions,
    separateRotary,
    element,
    layout,
    once,
    layerVector: (role, layer) => {
      const dims = layerWeightDims(shape, layer, role);
      const offset = isBias(role) ? undefined : shape.normOffset;
      return vector(nameOf(role, layer), source.layerTensor(role, layer.source), dims, offset);
    },
    finalNorm: () =>
      vector('finalNorm', source.modelTensor('finalNorm'), modelWeightDims(shape, 'finalNorm'), shape.normOffset),
    layerMatrix: (role, layer) =>
      matrix(nameOf(role, layer), source.layerTensor(role, layer.source), layerWeightDims(shape, layer, role)),
    modelMatrix: (role) => matrix(role, source.modelTensor(role), modelWeightDims(shape, role)),
  };

  const cachedLayers = shape.layers.flatMap((layer, index) => (layer.heads > 0 ? [index] : []));
  const positionIds = shape.layers.some((layer) => rotatesSeparately(layout, layer, separateRotary));
  const appends = cachedLayers.map((index) => layout.appends(shape.layers[index]!));
  const ids = layout.begin(context, { positionIds, groupQuery: appends.includes(false) });
  let stream: Residual = embedding(context, ids);
  shape.layers.forEach((layer, index) => {
    if (layer.heads > 0) stream = attentionBlock(context, index, layer, stream);
    if (layer.ffn > 0) stream = mlpBlock(context, index, layer, stream);
  });
  head(context, stream, layout.rowLogits);
  layout.end(context);

  const name = options.name ?? 'model';
  const model = graph.finish({
    name,
    metadata: { variant: name, family: shape.family, max_positions: String(options.maxPositions), ...options.metadata },
  });
  const { nodes, inputs, outputs } = graph;
  const { maxPositions } = options;
  const staticCache = !appends.includes(true);
  return {
    model,
    externalFiles: [...files],
    file: (wanted, signal) => source.file(wanted, signal),
    report: {
      ...{ nodes, inputs, outputs, cachedLayers, staticCache, positionIds, maxPositions },
      ...{ precision, weightBytes, largestWeightBytes, widenedBytes },
    },
  };
}

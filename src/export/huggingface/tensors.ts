/** @file The tensors of an exported folder: the variant's weights under the names that transformers gives to consecutive blocks. */
import { layerTensorName, modelTensorName } from '../../model/architectures/architecture';
import { isBias, type LayerShape, layerRoles, layerWeightDims, type ModelShape, modelRoles } from '../../model/shape';
import { partOfTensor, type TensorRef, type WeightSource } from '../../model/weights';
import { stockBiases, whyUneven, writtenArchitecture } from './uneven';

/** A tensor to write; its bytes are read when they are asked for. */
export interface WrittenTensor {
  readonly name: string;
  readonly dtype: TensorRef['dtype'];
  readonly dims: readonly number[];
  readonly bytes: number;
  /** The file of weights that holds it; null for zeros that no file holds. */
  readonly file: string | null;
  /** Bytes begin … end of it. */
  read(begin: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

/** All tensors in the order of the forward pass, blocks numbered from 0 on. A tied head is not among them. */
export function writtenTensors(shape: ModelShape, weights: WeightSource): WrittenTensor[] {
  const architecture = writtenArchitecture(shape.family);
  const zeros = whyUneven(shape) === null ? stockBiases(shape) : [];
  const stored = (name: string, ref: TensorRef): WrittenTensor => ({
    name,
    dtype: ref.dtype,
    dims: ref.dims,
    bytes: ref.end - ref.begin,
    file: ref.file,
    read: (begin, end, signal) => weights.read(partOfTensor(ref, begin, end), signal),
  });
  const block = (layer: LayerShape, index: number): WrittenTensor[] => [
    ...layerRoles(layer).map((role) =>
      stored(layerTensorName(architecture, role, index), weights.layerTensor(role, layer.source)),
    ),
    ...zeros
      .filter((role) => !layer.biases?.includes(role))
      .map((role) => zeroTensor(layerTensorName(architecture, role, index), layerWeightDims(shape, layer, role))),
  ];
  const outside = modelRoles(shape).map((role) =>
    stored(modelTensorName(architecture, role), weights.modelTensor(role)),
  );
  const [embed, ...rest] = outside;
  return [...(embed ? [embed] : []), ...shape.layers.flatMap(block), ...rest];
}

/** A bias of zeros: transformers' classes have a bias in every block or in none. */
function zeroTensor(name: string, dims: readonly number[]): WrittenTensor {
  const bytes = dims.reduce((product, dim) => product * dim, 4);
  return { name, dtype: 'F32', dims, bytes, file: null, read: async (begin, end) => new Uint8Array(end - begin) };
}

/** Whether any block gets a bias of zeros that the variant lacks. */
export function addsZeroBiases(shape: ModelShape): boolean {
  if (whyUneven(shape) !== null) return false;
  const all = stockBiases(shape);
  return shape.layers.some((layer) => all.some((role) => isBias(role) && !layer.biases?.includes(role)));
}

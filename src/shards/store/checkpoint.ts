/** @file A stored model as a WeightSource: headers are read once, weights when they are asked for. */
import { LabError, throwIfAborted } from '../../errors';
import { parseJson } from '../../io/json';
import { type ModelConfig, parseConfig } from '../../model/config';
import { fitTensors } from '../../model/fit';
import { type FileTensor, tensorIndex } from '../../model/tensors';
import type { StoredDtype, WeightSource } from '../../model/weights';
import { headerLength, parseHeader, prefixBytes } from '../formats/safetensors';
import type { StoredModel } from './manifest';
import { sameBytes } from './sameBytes';
import type { ShardStore } from './shardStore';

/** An open model: its weights by role and its small files as text. */
export interface Checkpoint extends WeightSource {
  readonly stored: StoredModel;
  /** As config.json says it, with the shape that the tensors have. */
  readonly config: ModelConfig;
  /** The type that most weights are stored in. */
  readonly dtype: StoredDtype;
  /** Text of a small file such as tokenizer.json; null when the model came without it. */
  text(name: string): Promise<string | null>;
  /** A small file, parsed; null when the model came without it. */
  json(name: string): Promise<unknown>;
}

/** Opens a complete stored model: reads config.json and the shards' headers, no weights. Throws what its files deserve. */
export async function openCheckpoint(
  store: ShardStore,
  stored: StoredModel,
  signal?: AbortSignal,
): Promise<Checkpoint> {
  const text = async (name: string): Promise<string | null> => {
    if (!stored.files.some((file) => file.name === name)) return null;
    return new TextDecoder().decode(await store.read(stored, name, 0, fileSize(stored, name)));
  };
  const said = parseConfig(parseJson((await text('config.json')) ?? '', 'config.json', 'bad-config'));
  const tensors = stored.tensors ?? (await readHeaders(store, stored, signal));
  const read = (file: string, begin: number, end: number) => store.read(stored, file, begin, end);
  const first = fitTensors(said, tensors);
  const { tables } = first;
  // What earlier versions of the page stored was not compared yet.
  const ownHead = tables && (stored.summary.ownHead ?? !(await sameBytes(...tables, read, signal)));
  const { shape, byName } = ownHead ? fitTensors(said, tensors, ownHead) : first;
  const { layerTensor, modelTensor, dtype } = tensorIndex(shape, byName);
  return {
    stored,
    config: { ...said, shape },
    dtype,
    layerTensor,
    modelTensor,
    async read(tensor, readSignal) {
      throwIfAborted(readSignal, 'Reading weights');
      return store.read(stored, tensor.file, tensor.begin, tensor.end);
    },
    file: (name) => store.file(stored, name),
    text,
    async json(name) {
      const content = await text(name);
      return content === null ? null : parseJson(content, name, 'bad-source');
    },
  };
}

async function readHeaders(store: ShardStore, stored: StoredModel, signal: AbortSignal | undefined) {
  const all: FileTensor[][] = [];
  for (const file of stored.files) {
    if (!file.name.endsWith('.safetensors')) continue;
    throwIfAborted(signal, 'Opening the model');
    all.push([...(await readHeader(store, stored, file.name))]);
  }
  return all.flat();
}

async function readHeader(store: ShardStore, stored: StoredModel, file: string): Promise<readonly FileTensor[]> {
  const size = fileSize(stored, file);
  const length = headerLength(await store.read(stored, file, 0, Math.min(prefixBytes, size)), size, file);
  return parseHeader(await store.read(stored, file, prefixBytes, prefixBytes + length), size, file).tensors;
}

function fileSize(stored: StoredModel, name: string): number {
  const file = stored.files.find((each) => each.name === name);
  if (file) return file.size;
  throw new LabError('missing-file', `${stored.source} has no file ${name}.`, 'Load the model again.');
}

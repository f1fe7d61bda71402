/** @file A model small enough to make in a test: random weights in the files of a Hugging Face folder. */
import { architectureOf } from '../../model/architectures';
import { layerTensorName, modelTensorName } from '../../model/architectures/architecture';
import { parseConfig } from '../../model/config';
import { layerRoles, layerWeightDims, modelRoles, modelWeightDims } from '../../model/shape';
import { createRandom } from '../../numerics/random';
import { safetensorsParts, type TensorToWrite } from '../formats/safetensors';

/** Two blocks of grouped-query attention, an untied head. */
export const tinyConfig = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 40,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  hidden_act: 'silu',
  tie_word_embeddings: false,
  bos_token_id: 1,
  eos_token_id: [2, 3],
};

/** F32 tensors that tinyConfig (or a changed one) needs, by Hugging Face name. */
export function tinyTensors(config: object = tinyConfig, seed = 1): TensorToWrite[] {
  const { shape } = parseConfig(config);
  const architecture = architectureOf(shape.family);
  const random = createRandom(seed);
  const tensor = (name: string, dims: number[]): TensorToWrite => {
    const values = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random() - 0.5);
    return { name, dtype: 'F32', dims, data: new Uint8Array(values.buffer) };
  };
  return [
    ...modelRoles(shape).map((role) => tensor(modelTensorName(architecture, role), modelWeightDims(shape, role))),
    ...shape.layers.flatMap((layer) =>
      layerRoles(layer).map((role) =>
        tensor(layerTensorName(architecture, role, layer.source), layerWeightDims(shape, layer, role)),
      ),
    ),
  ];
}

/** A folder's files by name. */
export type Folder = Map<string, Blob>;

/** config.json and one model.safetensors. */
export function tinyFolder(config: object = tinyConfig, tensors = tinyTensors(config)): Folder {
  return new Map([
    ['config.json', new Blob([JSON.stringify(config)])],
    ['model.safetensors', new Blob(safetensorsParts(tensors))],
  ]);
}

/** config.json, an index and `count` shards. */
export function tinyShardedFolder(count: number, config: object = tinyConfig, tensors = tinyTensors(config)): Folder {
  const names = Array.from({ length: count }, (_, i) => `model-0000${i + 1}-of-0000${count}.safetensors`);
  const shardOf = (index: number): string => names[Math.floor((index * count) / tensors.length)]!;
  const weightMap = Object.fromEntries(tensors.map(({ name }, index) => [name, shardOf(index)]));
  const folder: Folder = new Map([
    ['config.json', new Blob([JSON.stringify(config)])],
    ['model.safetensors.index.json', new Blob([JSON.stringify({ metadata: {}, weight_map: weightMap })])],
  ]);
  for (const name of names) {
    const here = tensors.filter((_, index) => shardOf(index) === name);
    folder.set(name, new Blob(safetensorsParts(here, { format: 'pt' })));
  }
  return folder;
}

/** The tensors with another final norm: as many bytes, another model. */
export function scaledNorm(scale: number, tensors = tinyTensors()): TensorToWrite[] {
  return tensors.map((tensor) => {
    if (tensor.name !== 'model.norm.weight') return tensor;
    const bytes = (tensor.data as Uint8Array<ArrayBuffer>).slice();
    const values = new Float32Array(bytes.buffer);
    for (let i = 0; i < values.length; i += 1) values[i] = values[i]! * scale;
    return { ...tensor, data: bytes };
  });
}

/** As a user would choose them. */
export function filesOf(folder: Folder): File[] {
  return Array.from(folder, ([name, blob]) => new File([blob], name, { lastModified: 1 }));
}

/** A web server that has these files under `base`, as a `fetch`; `requests` lists what was asked: 'GET config.json'. */
export function serve(
  folder: Folder,
  base: string,
  answer: (name: string, method: string) => Response | undefined = () => undefined,
): { fetch: typeof fetch; requests: string[] } {
  const requests: string[] = [];
  const respond = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    init?.signal?.throwIfAborted();
    const name = decodeURIComponent(String(input).slice(base.length));
    const method = init?.method ?? 'GET';
    requests.push(`${method} ${name}`);
    const special = answer(name, method);
    if (special) return special;
    const blob = folder.get(name);
    if (!blob || !String(input).startsWith(base)) return new Response('not found', { status: 404 });
    const headers = { 'content-length': String(blob.size) };
    return new Response(method === 'HEAD' ? null : blob.stream(), { headers });
  };
  return { fetch: respond, requests };
}

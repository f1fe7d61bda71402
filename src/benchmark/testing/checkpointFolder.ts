/** @file A checkpoint in a folder of this machine, held in memory: for comparisons with golden numbers. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../../model/config';
import type { ModelShape } from '../../model/shape';
import { indexTensors } from '../../model/tensors';
import type { WeightSource } from '../../model/weights';
import { headerLength, parseHeader, prefixBytes } from '../../shards/formats/safetensors';

export function readCheckpointFolder(folder: string): { shape: ModelShape; weights: WeightSource } {
  const { shape } = parseConfig(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')));
  const names = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
  const files = new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]));
  const tensors = [...files].flatMap(([name, bytes]) => {
    const end = prefixBytes + headerLength(bytes.subarray(0, prefixBytes), bytes.length, name);
    return parseHeader(bytes.subarray(prefixBytes, end), bytes.length, name).tensors;
  });
  const { layerTensor, modelTensor } = indexTensors(shape, tensors);
  const weights: WeightSource = {
    layerTensor,
    modelTensor,
    read: async ({ file, begin, end }) => files.get(file)!.slice(begin, end),
    file: async (name) => new Blob([files.get(name)!]),
  };
  return { shape, weights };
}

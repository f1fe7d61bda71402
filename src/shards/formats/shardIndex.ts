/** @file model.safetensors.index.json: which shard holds which tensor. */
import { LabError } from '../../errors';
import { record, show } from '../../model/configFields';

export const indexFile = 'model.safetensors.index.json';

export interface ShardIndex {
  /** Shards in order of first mention. */
  readonly shards: readonly string[];
  /** Tensor name → shard. */
  readonly weightMap: ReadonlyMap<string, string>;
}

const maxTensors = 200_000;
const maxShards = 1_000;

/** A file in the model's folder or below: nothing hidden, no way up, so that an index cannot point outside. */
const pathPattern = /^([A-Za-z0-9_-][\w.-]*\/){0,4}[A-Za-z0-9_-][\w.-]*\.safetensors$/;

export function isWeightsPath(path: unknown): path is string {
  return typeof path === 'string' && path.length <= 200 && pathPattern.test(path);
}

/** Checks an index; throws 'bad-weights'. */
export function parseShardIndex(json: unknown): ShardIndex {
  const map = record(record(json)?.['weight_map']);
  if (map === null) throw badIndex('expected an object with a weight_map of tensor name → file name');
  const entries = Object.entries(map);
  if (entries.length === 0 || entries.length > maxTensors) {
    throw badIndex(`weight_map: expected 1 to ${maxTensors} tensors, got ${entries.length}`);
  }
  const weightMap = new Map<string, string>();
  for (const [tensor, file] of entries) {
    const path = typeof file === 'string' ? file.replace(/^(\.\/)+/, '') : file;
    if (!isWeightsPath(path)) {
      throw badIndex(
        `weight_map of ${tensor.slice(0, 80)}: expected a *.safetensors file of the model's folder, got ${show(file)}`,
      );
    }
    weightMap.set(tensor, path);
  }
  const shards = [...new Set(weightMap.values())];
  if (shards.length > maxShards) throw badIndex(`expected at most ${maxShards} shards, got ${shards.length}`);
  return { shards, weightMap };
}

function badIndex(what: string): LabError {
  return new LabError('bad-weights', `${indexFile}: ${what}.`, 'Use the index of the same revision as the shards.');
}

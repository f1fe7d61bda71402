/** @file model.safetensors.index.json: which shard holds which tensor. */
import * as v from 'valibot';
import { LabError, shown } from '../errors';

export const indexFile = 'model.safetensors.index.json';

export interface ShardIndex {
  /** Shards in order of first mention. */
  readonly shards: readonly string[];
  /** Tensor name → shard. */
  readonly weightMap: ReadonlyMap<string, string>;
}

const maxTensors = 200_000;
const maxShards = 1_000;

/** A plain file name: no folder, nothing hidden, so that an index cannot point outside the model's folder. */
const shardName = v.pipe(v.string(), v.maxLength(200), v.regex(/^[A-Za-z0-9_-][\w.-]*\.safetensors$/));
const schema = v.object({ weight_map: v.record(v.string(), v.unknown()) });

/** Checks an index; throws 'bad-weights'. */
export function parseShardIndex(json: unknown): ShardIndex {
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) throw badIndex('expected an object with a weight_map of tensor name → file name');
  const entries = Object.entries(parsed.output.weight_map);
  if (entries.length === 0 || entries.length > maxTensors) {
    throw badIndex(`weight_map: expected 1 to ${maxTensors} tensors, got ${entries.length}`);
  }
  const weightMap = new Map<string, string>();
  for (const [tensor, file] of entries) {
    const name = v.safeParse(shardName, file);
    if (!name.success) {
      throw badIndex(
        `weight_map of ${tensor.slice(0, 80)}: expected a plain *.safetensors file name, got ${shown(file, 80)}`,
      );
    }
    weightMap.set(tensor, name.output);
  }
  const shards = [...new Set(weightMap.values())];
  if (shards.length > maxShards) throw badIndex(`expected at most ${maxShards} shards, got ${shards.length}`);
  return { shards, weightMap };
}

function badIndex(what: string): LabError {
  return new LabError('bad-weights', `${indexFile}: ${what}.`, 'Take the index from the same revision as the shards.');
}

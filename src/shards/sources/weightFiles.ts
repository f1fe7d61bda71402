/**
 * @file Which files of a place hold the model's weights, in transformers' order: the file that config.json names, then
 * model.safetensors, then the shards of an index. Then other files, if there is only one possible choice.
 */
import { LabError } from '../../errors';
import { parseJson } from '../../io/json';
import { indexFile, isWeightsPath, parseShardIndex } from '../formats/shardIndex';
import { weightsFile } from './modelFiles';
import { missingShard, missingWeights } from './sourceErrors';

/** The part of a repository that choosing uses. */
export interface WeightPlace {
  readonly label: string;
  /** Paths of all files; null where the place cannot list them. */
  readonly names: readonly string[] | null;
  /** Whether a file is there. */
  has(name: string): Promise<boolean>;
  /** Text of a small file; null where there is none. */
  text(name: string): Promise<string | null>;
  /** Text of config.json, where it is at hand. */
  readonly config: string | null;
}

/** Shards that an index names and the place lacks: they matter only where the model needs one of their tensors. */
export interface AbsentShard {
  readonly name: string;
  /** Names of the tensors that the index puts there. */
  readonly tensors: readonly string[];
}

export interface WeightChoice {
  /** The index by which the shards were found. */
  readonly index: boolean;
  /** In the order in which they are read. */
  readonly shards: readonly string[];
  readonly absent: readonly AbsentShard[];
  /** Notes for the user, one sentence each. */
  readonly notes: readonly string[];
}

/** Throws 'missing-file' and 'bad-weights'. */
export async function chooseWeights(place: WeightPlace): Promise<WeightChoice> {
  const named = namedByConfig(place.config);
  if (named !== null) {
    if (!(await place.has(named))) throw missingShard(named, place.label, 'config.json');
    return single(named, [`The weights are in ${named}, as transformers_weights of config.json says.`]);
  }
  if (await place.has(weightsFile)) {
    const both = place.names?.includes(indexFile) === true;
    return single(
      weightsFile,
      both
        ? [`The weights are read from ${weightsFile}; ${indexFile} and its shards are ignored, as in transformers.`]
        : [],
    );
  }
  const text = await place.text(indexFile);
  if (text !== null) return byIndex(text, place);
  return single(...withoutStandardNames(place));
}

function single(name: string | readonly string[], notes: readonly string[]): WeightChoice {
  return { index: false, shards: typeof name === 'string' ? [name] : name, absent: [], notes };
}

/** transformers' own field for weights of another name; anything odd in it is no such name. */
function namedByConfig(config: string | null): string | null {
  if (config === null || !config.includes('transformers_weights')) return null;
  let json: unknown;
  try {
    json = parseJson(config, 'config.json', 'bad-config');
  } catch {
    return null; // the code that reads config.json for itself says what is wrong with it
  }
  const name = typeof json === 'object' && json !== null ? Reflect.get(json, 'transformers_weights') : null;
  return isWeightsPath(name) ? name : null;
}

async function byIndex(text: string, place: WeightPlace): Promise<WeightChoice> {
  const { shards, weightMap } = parseShardIndex(parseJson(text, indexFile, 'bad-weights'));
  const there = await Promise.all(shards.map((shard) => place.has(shard)));
  const present = shards.filter((_, at) => there[at]);
  const [missing, ...more] = shards.filter((_, at) => !there[at]);
  if (missing === undefined) return { index: true, shards: present, absent: [], notes: [] };
  if (present.length === 0) throw missingShard(missing, place.label);
  const absent = [missing, ...more].map((name) => ({
    name,
    tensors: [...weightMap].filter(([, shard]) => shard === name).map(([tensor]) => tensor),
  }));
  return { index: true, shards: present, absent, notes: [] };
}

const numbered = /^(.+)-(\d{5})-of-(\d{5})\.safetensors$/;

/** What else there is: the shards of one set that is whole, or one file. With a note. */
function withoutStandardNames({ names, label }: WeightPlace): [string | readonly string[], readonly string[]] {
  const here = (names ?? []).filter((name) => !name.includes('/'));
  const safetensors = here.filter((name) => name.endsWith('.safetensors')).sort();
  const adapters = safetensors.filter((name) => /^adapter_/.test(name));
  const candidates = safetensors.filter((name) => !adapters.includes(name));
  const [first, ...others] = candidates;
  if (first === undefined && adapters[0] !== undefined) {
    throw new LabError(
      'missing-file',
      `${label} contains ${adapters[0]}, a LoRA adapter, but no model weights.`,
      'Merge the adapter into its base model (PEFT: merge_and_unload) and load the result.',
    );
  }
  if (first === undefined)
    throw missingWeights(
      label,
      here.filter((name) => /\.(bin|pth?|gguf|h5|msgpack|onnx)$/i.test(name)),
    );
  if (others.length === 0) {
    return [first, [`The weights are in ${first}; transformers would look for ${weightsFile}.`]];
  }
  const set = wholeSet(candidates);
  if (set !== null) {
    return [set, [`There is no ${indexFile}: the ${set.length} numbered files ${set[0]} … are read as the model.`]];
  }
  throw new LabError(
    'missing-file',
    `${label} contains ${candidates.length} safetensors files (${candidates.slice(0, 4).join(', ').slice(0, 200)}${candidates.length > 4 ? ', …' : ''}) and no ${indexFile} that maps tensors to files.`,
    `Add ${indexFile} from the model's repository; if one of the files holds all weights, name it ${weightsFile}.`,
  );
}

/** All candidates as one numbered set without a gap; null where they are none. */
function wholeSet(candidates: readonly string[]): readonly string[] | null {
  const found = candidates.map((name) => numbered.exec(name));
  const [head] = found;
  if (!head) return null;
  const [, stem, , count] = head;
  if (Number(count) !== candidates.length) return null;
  const whole = found.every(
    (each, at) => each !== null && each[1] === stem && each[3] === count && Number(each[2]) === at + 1,
  );
  return whole ? candidates : null;
}

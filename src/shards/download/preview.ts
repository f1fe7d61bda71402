/** @file A model's facts and its cost, before its weights are fetched. */

import { maxTextBytes, parseJson } from '../../io/json';
import { collect } from '../../io/streams';
import { type ModelConfig, parseConfig } from '../../model/config';
import { modelParameters } from '../../model/count';
import { dtypeOfBytes, type MemoryPlan, memoryPlan } from '../../model/memory';
import { configFile } from '../sources/modelFiles';
import type { Repository } from '../sources/repository';
import type { ShardStore } from '../store/shardStore';
import { weightBytesOf } from './modelImport';

export interface Preview {
  readonly id: string;
  /** The source of this very revision. */
  readonly source: string;
  readonly revision: string;
  readonly config: ModelConfig;
  readonly parameters: number;
  /** All files; null where the place does not tell all sizes. */
  readonly bytes: number | null;
  readonly weightBytes: number | null;
  /** Its GPU memory; null if the server does not tell the weights' size. */
  readonly memory: MemoryPlan | null;
  /** The part of `bytes` that an earlier attempt has stored. */
  readonly storedBytes: number;
  /** This revision is stored whole. */
  readonly stored: boolean;
  /** Bytes that the browser would still give; null where it does not tell. */
  readonly freeBytes: number | null;
  readonly licence: string | null;
  readonly gated: boolean;
}

/** Reads the list of files and config.json. Throws the errors that a load would throw up to there. */
export async function previewModel(repository: Repository, store: ShardStore, signal?: AbortSignal): Promise<Preview> {
  const { id, label, revision } = repository;
  const files = await repository.list(signal);
  const { stream } = await repository.open(configFile, { signal });
  const text = new TextDecoder().decode(await collect(stream, `${configFile} of ${label}`, maxTextBytes, signal));
  const config = parseConfig(parseJson(text, configFile, 'bad-config'));
  const sum = (some: typeof files): number | null =>
    some.every((file) => file.size !== null) ? some.reduce((total, file) => total + (file.size ?? 0), 0) : null;
  const weightBytes = weightBytesOf(files);
  const parameters = modelParameters(config.shape);
  const about = repository.about?.();
  const found = await store.find(id);
  const unfinished = (await store.unfinished()).find((each) => each.id === id && each.revision === revision);
  return {
    id,
    source: label,
    revision,
    config,
    parameters,
    bytes: sum(files),
    weightBytes,
    memory: weightBytes === null ? null : memoryPlan(config.shape, dtypeOfBytes(weightBytes, parameters)),
    storedBytes: unfinished?.bytes ?? 0,
    // A place that names no revisions has one model; whether it changed is asked when it is opened.
    stored: found !== null && (repository.freshness !== undefined || found.revision === revision),
    freeBytes: await store.free(),
    licence: about?.licence ?? null,
    gated: about?.gated ?? false,
  };
}

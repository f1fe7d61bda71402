/** @file From a repository into the store: streamed, checked as early as the bytes allow, all or nothing. */
import { throwIfAborted } from '../errors';
import { type Checkpoint, openCheckpoint } from './checkpoint';
import { Intake, type IntakeOptions } from './intake';
import type { Repository } from './repository';
import type { ShardStore, StoredModel } from './shardStore';
import { Space } from './space';

export type LoadModelOptions = IntakeOptions;

export interface LoadedModel {
  readonly stored: StoredModel;
  readonly checkpoint: Checkpoint;
  /** Bytes that came over the network; 0 for a model that was stored, and for files from disk. */
  readonly downloadedBytes: number;
}

/**
 * Opens the stored model, without any request, where there is one of the repository's revision; otherwise loads it.
 * A load that fails or is cancelled leaves nothing behind and touches nothing else that is stored.
 */
export async function loadModel(
  repository: Repository,
  store: ShardStore,
  options: LoadModelOptions = {},
): Promise<LoadedModel> {
  throwIfAborted(options.signal, 'The load');
  const found = await store.find(repository.id);
  if (found?.revision === repository.revision) return openStored(store, found.id, options.signal);

  const files = await repository.list(options.signal);
  const space = new Space(files, await store.free(), repository.label);
  const pending = await store.begin(repository.id, space.expected());
  const intake = new Intake(repository, pending, space, options);
  let stored: StoredModel;
  try {
    for (const file of files) await intake.take(file);
    stored = await pending.commit(intake.facts());
  } catch (thrown) {
    // The cause matters more than a failure to tidy up: the next start cleans what is left.
    await pending.abandon().catch(() => undefined);
    throw thrown;
  }
  const checkpoint = await openCheckpoint(store, stored, options.signal);
  return { stored, checkpoint, downloadedBytes: repository.remote ? intake.received : 0 };
}

/** Opens a model that is stored already. Throws 'not-found'. */
export async function openStored(store: ShardStore, id: string, signal?: AbortSignal): Promise<LoadedModel> {
  const stored = await store.open(id);
  return { stored, checkpoint: await openCheckpoint(store, stored, signal), downloadedBytes: 0 };
}

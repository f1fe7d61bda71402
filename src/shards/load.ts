/** @file From a repository into the store: streamed, checked as early as the bytes allow, all or nothing. */
import { LabError, throwIfAborted } from '../errors';
import { type Checkpoint, openCheckpoint } from './checkpoint';
import { Intake, type IntakeOptions } from './intake';
import type { Repository, RepositoryFile } from './repository';
import type { ShardStore, StoredModel } from './shardStore';
import { roomAdvice, Space } from './space';

export type LoadModelOptions = IntakeOptions;

export interface LoadedModel {
  readonly stored: StoredModel;
  readonly checkpoint: Checkpoint;
  /** Bytes that came over the network; 0 for a model that was stored, and for files from disk. */
  readonly downloadedBytes: number;
}

/**
 * Opens the stored model, without any request, where there is one of the repository's revision; otherwise loads it.
 * A load that fails or is cancelled touches nothing else that is stored. What it brought of a download that can be
 * taken up again stays for the next attempt; another leaves nothing behind.
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
  const { id, label: source, revision } = repository;
  const key = repository.range ? { source, revision } : null;
  const bytes = files.reduce((sum, file) => sum + (file.size ?? 0), 0);
  const left = key && (await store.unfinished()).find((each) => each.id === id && each.revision === revision);
  const free = await store.free();
  // What an earlier attempt has stored needs no more room.
  const space = await makeRoom(files, free === null ? null : free + (left?.bytes ?? 0), source, store);
  if (left?.active) {
    options.onProgress?.({ stage: 'waiting for another tab', done: left.bytes, total: bytes, unit: 'bytes' });
  }
  const pending = await store.begin(id, bytes, key, options.signal);
  const intake = new Intake(repository, files, pending, space, options);
  let stored: StoredModel;
  try {
    // Another tab may have brought the model while this one waited for its turn.
    const brought = key && (await store.find(id));
    if (brought?.revision === revision) {
      await pending.abandonKeeping(brought.load);
      return openStored(store, id, options.signal);
    }
    for (const file of files) await intake.take(file);
    stored = await pending.commit(await intake.facts());
  } catch (thrown) {
    // The cause matters more than a failure to tidy up: the next start cleans what is left.
    await pending.end().catch(() => undefined);
    throw await advised(thrown, store, key !== null);
  }
  const checkpoint = await openCheckpoint(store, stored, options.signal);
  return { stored, checkpoint, downloadedBytes: repository.remote ? intake.received : 0 };
}

/** The check before the first byte; its refusal says what could be forgotten. */
async function makeRoom(
  files: readonly RepositoryFile[],
  free: number | null,
  label: string,
  store: ShardStore,
): Promise<Space> {
  try {
    return new Space(files, free, label);
  } catch (thrown) {
    const needed = files.reduce((sum, file) => sum + (file.size ?? 0), 0);
    throw await advised(thrown, store, false, needed - (free ?? 0));
  }
}

/** A failure by a full storage, with what could be forgotten; any other as it is. */
async function advised(thrown: unknown, store: ShardStore, kept: boolean, missing: number | null = null) {
  if (!(thrown instanceof LabError && thrown.code === 'quota')) return thrown;
  const stored = await store.list().catch(() => []);
  return new LabError('quota', thrown.message, roomAdvice(missing, stored, kept), { cause: thrown.cause });
}

/** Opens a model that is stored already. Throws 'not-found'. */
export async function openStored(store: ShardStore, id: string, signal?: AbortSignal): Promise<LoadedModel> {
  const stored = await store.open(id);
  return { stored, checkpoint: await openCheckpoint(store, stored, signal), downloadedBytes: 0 };
}

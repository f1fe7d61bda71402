/** @file From a repository into the store: streamed, checked as early as the bytes allow, all or nothing. */
import { LabError, throwIfAborted } from '../../errors';
import {
  ChangedOnTheWay,
  changedNote,
  cheapBytes,
  comparedNote,
  unknownNote,
  unreachableNote,
} from '../sources/freshness';
import type { Repository, RepositoryFile } from '../sources/repository';
import { type Checkpoint, openCheckpoint } from '../store/checkpoint';
import type { StoredModel } from '../store/manifest';
import { TakenOver } from '../store/pendingLoad';
import type { HeldModel, ShardStore } from '../store/shardStore';
import { DiskBudget, diskAdvice } from './diskBudget';
import { ModelImport, type ModelImportOptions } from './modelImport';

export interface LoadModelOptions extends ModelImportOptions {
  /**
   * What to do where the place says that the stored copy is no longer what lies there: fetch it again (the default; the
   * copy stays until the new version is complete), open the copy with a note, or throw 'changed' so that a user is
   * asked.
   */
  readonly changed?: 'fetch' | 'stored' | 'ask' | undefined;
}

export interface LoadedModel {
  readonly stored: StoredModel;
  readonly checkpoint: Checkpoint;
  /** Bytes that came over the network; 0 for a model that was stored, and for files from disk. */
  readonly downloadedBytes: number;
  /** Notes for the user about how it was opened, one sentence each. */
  readonly notes: readonly string[];
  /** The place says that another version lies there. */
  readonly outdated: boolean;
  /** The model is not read any more: its chunks may go where another tab has forgotten or replaced it. */
  release(): Promise<void>;
}

/** How often a load starts again because its files changed on the way, or because another tab took it over. */
const mostStarts = 3;

/**
 * Opens the stored model where there is one of the repository's revision; otherwise loads it. Where the place names no
 * revision, it is asked whether the stored copy is still what lies there. One load of a model runs at a time, in all tabs:
 * the others wait and open what it brought, or take over when it fails.
 * A load that fails or is cancelled touches nothing else that is stored. What it brought of a download that can be
 * taken up again stays for the next attempt; another leaves nothing behind.
 */
export async function loadModel(
  repository: Repository,
  store: ShardStore,
  options: LoadModelOptions = {},
): Promise<LoadedModel> {
  return new ModelLoad(repository, store, options).run();
}

class ModelLoad {
  readonly #repository: Repository;
  readonly #store: ShardStore;
  readonly #options: LoadModelOptions;
  readonly #notes: string[] = [];
  /** The load of a stored copy that is not to be opened: it is old, or cannot be read. */
  #passedOver: string | null = null;
  /** What the attempt before has brought, which seemed to have changed on the way. */
  #content: string | null = null;
  #outdated = false;
  /** It is that, since its server does not tell versions apart: what comes is compared with it. */
  #compared = false;
  /** It is that, since it cannot be read. */
  #broken = false;

  constructor(repository: Repository, store: ShardStore, options: LoadModelOptions) {
    this.#repository = repository;
    this.#store = store;
    this.#options = options;
  }

  async run(): Promise<LoadedModel> {
    const { signal, onProgress } = this.#options;
    const { id } = this.#repository;
    for (let start = 1; ; start += 1) {
      const ready = await this.#openStored(start > 1);
      if (ready) return ready;
      const onWait = (done: number, total: number): void =>
        onProgress?.({ stage: 'waiting for another tab', done, total, unit: 'bytes' });
      try {
        return await this.#store.alone(
          id,
          // Another tab may have brought the model while this one waited for its turn.
          async () => (await this.#openStored(true)) ?? (await this.#fetch()),
          { signal, onWait },
        );
      } catch (thrown) {
        const again = thrown instanceof ChangedOnTheWay || thrown instanceof TakenOver;
        if (!again || start === mostStarts) throw thrown;
      }
    }
  }

  /** The stored copy, where there is one that may be opened. `later`: any other than before has come since this load began. */
  async #openStored(later: boolean): Promise<LoadedModel | null> {
    const { signal } = this.#options;
    throwIfAborted(signal, 'The load');
    const found = await this.#store.find(this.#repository.id);
    if (!found || found.load === this.#passedOver) return null;
    if (!(await this.#mayOpen(found, later))) {
      this.#passedOver = found.load;
      return null;
    }
    try {
      const opened = await openHeld(this.#store, found.id, { signal, notes: this.#notes });
      return { ...opened, outdated: this.#outdated };
    } catch (thrown) {
      if (thrown instanceof LabError && thrown.code === 'not-found') return null; // forgotten in between
      if (!(thrown instanceof UnreadableCopy)) throw thrown;
      this.#passedOver = found.load;
      this.#broken = true;
      this.#notes.push(`The stored copy could not be read (${thrown.fault}): it was removed and downloaded again.`);
      return null;
    }
  }

  async #mayOpen(found: StoredModel, later: boolean): Promise<boolean> {
    const { freshness, same, revision } = this.#repository;
    const { signal, onProgress, changed = 'fetch' } = this.#options;
    if (same) return same(found, this.#store, { signal, onProgress });
    if (!freshness) return found.revision === revision;
    if (later) return true;
    const stage = 'checking whether the stored copy is up to date';
    onProgress?.({ stage, done: 0, total: 0, unit: 'bytes' });
    const answer = await freshness(found, signal);
    switch (answer.state) {
      case 'same':
        return true;
      case 'unreachable':
        this.#notes.push(unreachableNote(found, answer.reason));
        return true;
      case 'unknown':
        if (found.bytes <= cheapBytes) {
          this.#compared = true;
          return false;
        }
        this.#notes.push(unknownNote(found));
        return true;
      case 'changed': {
        const note = changedNote(found, answer.files);
        if (changed === 'ask') throw changedError(note);
        this.#notes.push(
          changed === 'stored' ? `${note} This is the stored copy.` : `${note} It was downloaded again.`,
        );
        this.#outdated = changed === 'stored';
        return this.#outdated;
      }
    }
  }

  async #fetch(): Promise<LoadedModel> {
    const repository = this.#repository;
    const store = this.#store;
    const { signal } = this.#options;
    const files = await repository.list(signal);
    const { id, label: source, revision } = repository;
    // The place answers: what cannot be read makes room for what will come.
    if (this.#broken && this.#passedOver !== null) await store.remove(id, this.#passedOver);
    const key = repository.range ? { source, revision } : null;
    const bytes = files.reduce((sum, file) => sum + (file.size ?? 0), 0);
    const left = key && (await store.unfinished()).find((each) => each.id === id && each.revision === revision);
    const free = await store.free();
    // Chunks that an earlier attempt has stored need no more room.
    const diskBudget = await evictIdle(files, free === null ? null : free + (left?.bytes ?? 0), source, store);
    const pending = await store.begin(id, bytes, key, signal);
    const intake = new ModelImport(repository, files, pending, diskBudget, this.#options);
    let stored: StoredModel;
    try {
      for (const file of files) await intake.take(file);
      await this.#sameToTheEnd(intake);
      stored = await pending.commit(await intake.facts());
    } catch (thrown) {
      // The cause matters more than a failure to tidy up: the next start removes the rest.
      await pending.end().catch(() => undefined);
      throw await advised(thrown, store, key !== null);
    }
    const same = stored.load === this.#passedOver;
    if (this.#compared) this.#notes.push(comparedNote(stored, same));
    const opened = await openHeld(store, stored.id, { signal, notes: this.#notes });
    return { ...opened, downloadedBytes: repository.remote && !same ? intake.received : 0 };
  }

  /** Files of two versions are no model: did one change while the others came? */
  async #sameToTheEnd(intake: ModelImport): Promise<void> {
    const changed = (await this.#repository.changedSince?.(intake.taken(), this.#options.signal)) ?? [];
    if (changed.length === 0) return;
    // Some servers name the same bytes otherwise at each request: what came twice alike is one version.
    const content = intake.contentRevision();
    if (content === this.#content) return;
    this.#content = content;
    throw new ChangedOnTheWay(changed, this.#repository.label);
  }
}

/** The question for a user: the newer version, or the copy? */
function changedError(note: string): LabError {
  return new LabError('changed', note, 'Download it again, or open the stored copy.');
}

/** The check before the first byte; its refusal names models that could be forgotten. */
async function evictIdle(
  files: readonly RepositoryFile[],
  free: number | null,
  label: string,
  store: ShardStore,
): Promise<DiskBudget> {
  try {
    return new DiskBudget(files, free, label);
  } catch (thrown) {
    const needed = files.reduce((sum, file) => sum + (file.size ?? 0), 0);
    throw await advised(thrown, store, false, needed - (free ?? 0));
  }
}

/** A failure by a full storage, with models that could be forgotten; any other as it is. */
async function advised(thrown: unknown, store: ShardStore, kept: boolean, missing: number | null = null) {
  if (!(thrown instanceof LabError && thrown.code === 'quota')) return thrown;
  const stored = await store.list().catch(() => []);
  return new LabError('quota', thrown.message, diskAdvice(missing, stored, kept), { cause: thrown.cause });
}

/** The stored files of a model cannot be read. */
class UnreadableCopy extends LabError {
  readonly fault: string;

  constructor(source: string, fault: string, cause?: unknown) {
    super(
      'storage',
      `The stored copy of ${source} cannot be read (${fault}).`,
      'Forget it, then load it again from its source.',
      { cause },
    );
    this.fault = fault;
  }
}

interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  readonly notes?: readonly string[];
}

/** Opens a model that is stored already. Throws 'not-found', and 'storage' where it cannot be read. */
export async function openStored(
  store: ShardStore,
  id: string,
  signal?: AbortSignal,
  notes: readonly string[] = [],
): Promise<LoadedModel> {
  return openHeld(store, id, { signal, notes });
}

async function openHeld(store: ShardStore, id: string, { signal, notes = [] }: OpenOptions): Promise<LoadedModel> {
  const held: HeldModel = await store.hold(id);
  const { stored } = held;
  try {
    const fault = await store.fault(stored, signal);
    if (fault !== null) throw new UnreadableCopy(stored.source, fault);
    const checkpoint = await openCheckpoint(store, stored, signal).catch((thrown: unknown) => {
      const lost = thrown instanceof LabError && thrown.code === 'storage';
      throw lost ? new UnreadableCopy(stored.source, thrown.message, thrown) : thrown;
    });
    return {
      stored,
      checkpoint,
      downloadedBytes: 0,
      notes: [...notes],
      outdated: false,
      release: () => held.release(),
    };
  } catch (thrown) {
    await held.release();
    throw thrown;
  }
}

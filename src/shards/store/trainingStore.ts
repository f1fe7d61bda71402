/**
 * @file Trainings that can go on after the tab was closed: what is known of each, and the states that it goes on from.
 *
 * Keys: ['training', model, revision, run] → StoredTraining · ['trained', model, revision, run, set, index] → Blob, a piece of a
 * state. A training lives as long as the manifest of its model in its revision, as a variant's patch does. A new state is written
 * piece by piece under a set of its own; the transaction that names it removes the sets that are not named any more.
 */
import { promisifyRequest } from 'idb-keyval';
import { LabError } from '../../errors';
import { holdLock, type Locks, newOwner } from '../../io/locks';
import { allUnder, quotaError } from '../../io/storage';
import type { StoredModel } from './manifest';
import type { PatchedModel } from './patchStore';

/** Pieces that belong together. */
export interface StoredSet {
  readonly set: string;
  /** Size of each piece, bytes. */
  readonly pieces: readonly number[];
}

export interface StoredTraining {
  readonly version: 1;
  readonly run: string;
  /** What the laboratory knows of it; plain data. */
  readonly about: unknown;
  /** What it was asked for, as JSON: texts and token ids may be large, and a list of trainings does not read them. */
  readonly input: Blob;
  readonly sets: readonly StoredSet[];
}

type Run = <T>(mode: IDBTransactionMode, what: string, body: (store: IDBObjectStore) => PromiseLike<T>) => Promise<T>;

const remedy =
  'Forget a stored model, discard a variant that has weights of its own, or free disk space. The training goes on; its older checkpoint is kept.';

export class TrainingStore {
  readonly #run: Run;
  readonly #free: () => Promise<number | null>;
  readonly #locks: Locks;

  constructor(run: Run, free: () => Promise<number | null>, locks: Locks) {
    this.#run = run;
    this.#free = free;
    this.#locks = locks;
  }

  /** The trainings of a model. Those in a form of a newer version of the page are left out. */
  async list({ id, revision }: PatchedModel): Promise<StoredTraining[]> {
    const all = await this.#run<StoredTraining[]>('readonly', 'Listing the trainings', (store) =>
      promisifyRequest(store.getAll(allUnder('training', id, revision))),
    );
    return all.filter(isReadable);
  }

  async find({ id, revision }: PatchedModel, run: string): Promise<StoredTraining | null> {
    const found = await this.#run<StoredTraining | undefined>('readonly', 'Looking for a training', (store) =>
      promisifyRequest(store.get(['training', id, revision, run])),
    );
    return found !== undefined && isReadable(found) ? found : null;
  }

  /** Bytes of the trainings of each model that has some, by the model's id. */
  async sizes(): Promise<Map<string, number>> {
    const { keys, trainings } = await this.#run('readonly', 'Listing the trainings', async (store) => {
      const [keys, trainings] = await Promise.all([
        promisifyRequest(store.getAllKeys(allUnder('training'))),
        promisifyRequest<StoredTraining[]>(store.getAll(allUnder('training'))),
      ]);
      return { keys, trainings };
    });
    const sizes = new Map<string, number>();
    for (const [at, key] of keys.entries()) {
      const [, id] = key as string[];
      const { input, sets = [] } = trainings[at]!;
      const pieces = sets.flatMap((set) => set.pieces).reduce((sum, bytes) => sum + bytes, 0);
      sizes.set(id!, (sizes.get(id!) ?? 0) + (input?.size ?? 0) + pieces);
    }
    return sizes;
  }

  /** Stores a new training. Throws 'quota', and 'not-found' where the model is no longer stored in this revision. */
  async add(
    model: PatchedModel,
    { run, about, input }: Pick<StoredTraining, 'run' | 'about' | 'input'>,
  ): Promise<void> {
    await this.#run('readwrite', 'Storing a training', async (store) => {
      const stored = await promisifyRequest<StoredModel | undefined>(store.get(['model', model.id]));
      if (stored?.revision !== model.revision) throw gone(run);
      const entry: StoredTraining = { version: 1, run, about, input, sets: [] };
      store.put(entry, ['training', model.id, model.revision, run]);
      await promisifyRequest(store.transaction);
    });
  }

  /** A name for the pieces of a new state. */
  newSet(): string {
    return newOwner();
  }

  /** Stores a piece of a state that no training names yet. Throws 'quota', and 'not-found' where the training is not stored any more. */
  async putPiece(model: PatchedModel, run: string, set: string, index: number, piece: Blob): Promise<void> {
    const what = 'Storing a checkpoint';
    try {
      await this.#run('readwrite', what, async (store) => {
        await this.#record(store, model, run);
        store.put(piece, ['trained', model.id, model.revision, run, set, index]);
        await promisifyRequest(store.transaction);
      });
    } catch (thrown) {
      if (!(thrown instanceof LabError && thrown.code === 'quota')) throw thrown;
      throw quotaError(what, piece.size, await this.#free(), { remedy, cause: thrown.cause });
    }
  }

  /** Names the sets of a training, with what is known of it now. Pieces of other sets are removed. */
  async commit(model: PatchedModel, run: string, about: unknown, sets: readonly StoredSet[]): Promise<void> {
    await this.#run('readwrite', 'Storing a checkpoint', async (store) => {
      const before = await this.#record(store, model, run);
      const entry: StoredTraining = { ...before, about, sets };
      store.put(entry, ['training', model.id, model.revision, run]);
      const named = new Set(sets.map(({ set }) => set));
      const keys = await promisifyRequest(store.getAllKeys(allUnder('trained', model.id, model.revision, run)));
      for (const key of keys) if (!named.has((key as string[])[4]!)) store.delete(key);
      await promisifyRequest(store.transaction);
    });
  }

  /** Removes pieces that no training names. */
  async dropSet({ id, revision }: PatchedModel, run: string, set: string): Promise<void> {
    await this.#run('readwrite', 'Removing a checkpoint', async (store) => {
      store.delete(allUnder('trained', id, revision, run, set));
      await promisifyRequest(store.transaction);
    });
  }

  /** A piece of a state; null where it is not there. */
  async piece({ id, revision }: PatchedModel, run: string, set: string, index: number): Promise<Blob | null> {
    const found = await this.#run<Blob | undefined>('readonly', 'Reading a checkpoint', (store) =>
      promisifyRequest(store.get(['trained', id, revision, run, set, index])),
    );
    return found ?? null;
  }

  /** Removes a training with its states; one that is not there is fine. */
  async remove({ id, revision }: PatchedModel, run: string): Promise<void> {
    await this.#run('readwrite', 'Removing a training', async (store) => {
      store.delete(['training', id, revision, run]);
      store.delete(allUnder('trained', id, revision, run));
      await promisifyRequest(store.transaction);
    });
  }

  /** Makes the training this tab's until the returned function is called; null where another tab has it. */
  hold(model: PatchedModel, run: string): Promise<(() => void) | null> {
    return holdLock(this.#locks, lockOf(model, run), { ifAvailable: true });
  }

  /** Whether a tab has the training. */
  async held(model: PatchedModel): Promise<(run: string) => boolean> {
    const held = new Set((await this.#locks.query()).held?.map(({ name }) => name));
    return (run) => held.has(lockOf(model, run));
  }

  async #record(store: IDBObjectStore, { id, revision }: PatchedModel, run: string): Promise<StoredTraining> {
    const found = await promisifyRequest<StoredTraining | undefined>(store.get(['training', id, revision, run]));
    if (found === undefined) throw gone(run);
    return found;
  }
}

const lockOf = ({ id, revision }: PatchedModel, run: string): string => `training ${id} ${revision} ${run}`;

const isReadable = ({ version, run, input, sets }: Partial<StoredTraining>): boolean =>
  version === 1 && typeof run === 'string' && input instanceof Blob && Array.isArray(sets);

function gone(run: string): LabError {
  return new LabError(
    'not-found',
    `The training '${run}' is no longer stored: its model was forgotten or replaced, or another tab has ended it.`,
    'Load the model again, then start a training.',
  );
}

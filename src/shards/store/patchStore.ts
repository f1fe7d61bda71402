/**
 * @file The patches of a model's variants: safetensors files of the tensors that differ, beside the model's own chunks.
 *
 * Keys: ['patch', model, revision, variant] → StoredPatch · ['variants', model, revision] → the number of the next
 * variant. A patch lives as long as its variant and as the manifest of its model in its revision: the code that removes
 * one of these removes the patch in the same transaction, and a patch is written in the transaction that looks for the
 * manifest.
 */
import { promisifyRequest } from 'idb-keyval';
import { LabError } from '../../errors';
import { allUnder, quotaError } from '../../io/storage';
import { isReadable as isReadableModel, type StoredModel } from './manifest';

/** A model that patches belong to. */
export type PatchedModel = Pick<StoredModel, 'id' | 'revision'>;

export interface StoredPatch {
  readonly version: 1;
  /** Id of the variant. */
  readonly variant: string;
  /** Name and plan of the variant, which is made again from them; plain data. */
  readonly about: unknown;
  /** Hexadecimal SHA-256 of the file. */
  readonly sha256: string;
  /** The safetensors file. */
  readonly blob: Blob;
}

type Run = <T>(mode: IDBTransactionMode, what: string, body: (store: IDBObjectStore) => PromiseLike<T>) => Promise<T>;

const remedy =
  'Discard a variant that has weights of its own, forget a stored model, or free disk space; then make the variant again.';

export class PatchStore {
  readonly #run: Run;
  readonly #free: () => Promise<number | null>;

  constructor(run: Run, free: () => Promise<number | null>) {
    this.#run = run;
    this.#free = free;
  }

  /** The patches of a model. Those in a form of a newer version of the page are left out. */
  async list({ id, revision }: PatchedModel): Promise<StoredPatch[]> {
    const all = await this.#run<StoredPatch[]>('readonly', 'Listing the variants', (store) =>
      promisifyRequest(store.getAll(allUnder('patch', id, revision))),
    );
    return all.filter(isReadable);
  }

  /** Bytes of the patches of each model that has some, by the model's id. */
  async sizes(): Promise<Map<string, number>> {
    const { keys, patches } = await this.#run('readonly', 'Listing the variants', async (store) => {
      const [keys, patches] = await Promise.all([
        promisifyRequest(store.getAllKeys(allUnder('patch'))),
        promisifyRequest<StoredPatch[]>(store.getAll(allUnder('patch'))),
      ]);
      return { keys, patches };
    });
    const sizes = new Map<string, number>();
    for (const [at, key] of keys.entries()) {
      const [, id] = key as string[];
      sizes.set(id!, (sizes.get(id!) ?? 0) + (patches[at]?.blob?.size ?? 0));
    }
    return sizes;
  }

  /** The number of a new variant: no variant of the stored model had it before, in any tab. At least `least`. */
  nextNumber(model: PatchedModel, least = 1): Promise<number> {
    return this.#run('readwrite', 'Numbering a variant', async (store) => {
      const number = await takeNumber(store, model, least);
      await promisifyRequest(store.transaction);
      return number;
    });
  }

  /** From now on new variants get at least this number. */
  raiseNumber({ id, revision }: PatchedModel, least: number): Promise<void> {
    return this.#run('readwrite', 'Numbering a variant', async (store) => {
      const key = ['variants', id, revision];
      const next = (await promisifyRequest<number | undefined>(store.get(key))) ?? 1;
      if (next < least) store.put(least, key);
      await promisifyRequest(store.transaction);
    });
  }

  /**
   * Stores the patch of a new variant under its number, all in one transaction. Throws 'quota', and 'not-found' where the model is no
   * longer stored in this revision.
   */
  async add(
    model: PatchedModel,
    { name, ...patch }: Pick<StoredPatch, 'about' | 'sha256' | 'blob'> & { name(number: number): string },
    least = 1,
  ): Promise<StoredPatch> {
    const what = 'Storing the weights of a variant';
    const { size } = patch.blob;
    const free = await this.#free();
    if (free !== null && free < size) throw quotaError(what, size, free, { remedy });
    try {
      return await this.#run('readwrite', what, async (store) => {
        const stored = await promisifyRequest<StoredModel | undefined>(store.get(['model', model.id]));
        if (stored?.revision !== model.revision) throw noLongerStored(model, stored);
        const variant = name(await takeNumber(store, model, least));
        const entry: StoredPatch = { version: 1, variant, ...patch };
        store.put(entry, ['patch', model.id, model.revision, variant]);
        await promisifyRequest(store.transaction);
        return entry;
      });
    } catch (thrown) {
      if (!(thrown instanceof LabError && thrown.code === 'quota')) throw thrown;
      throw quotaError(what, size, await this.#free(), { remedy, cause: thrown.cause });
    }
  }

  /** Removes the patch of a variant; one that is not there is fine. */
  async remove({ id, revision }: PatchedModel, variant: string): Promise<void> {
    await this.#run('readwrite', 'Discarding a variant', async (store) => {
      store.delete(['patch', id, revision, variant]);
      await promisifyRequest(store.transaction);
    });
  }
}

const isReadable = ({ version, variant, blob }: Partial<StoredPatch>): boolean =>
  version === 1 && typeof variant === 'string' && blob instanceof Blob;

async function takeNumber(store: IDBObjectStore, { id, revision }: PatchedModel, least: number): Promise<number> {
  const key = ['variants', id, revision];
  const number = Math.max(least, (await promisifyRequest<number | undefined>(store.get(key))) ?? 1);
  store.put(number + 1, key);
  return number;
}

/** What is kept of a model's variants and trainings: [kind, model, revision, …]. */
const ownedKinds = ['patch', 'variants', 'training', 'trained'] as const;

/** Removes all patches and trainings of a model, within a transaction. */
export function removePatches(store: IDBObjectStore, id: string): void {
  for (const kind of ownedKinds) store.delete(allUnder(kind, id));
}

/** The same of a model's other revisions, within a transaction: they belong to weights that are no longer there. */
export async function removeOtherPatches(store: IDBObjectStore, { id, revision }: PatchedModel): Promise<void> {
  const ranges = ownedKinds.map((kind) => allUnder(kind, id));
  const keys = (await Promise.all(ranges.map((range) => promisifyRequest(store.getAllKeys(range))))).flat();
  for (const key of keys) if ((key as string[])[2] !== revision) store.delete(key);
}

/** The numbers of variants stay. */
const orphanKinds = ['patch', 'training', 'trained'] as const;

/**
 * Removes patches and trainings of models that are neither stored in their revision nor being loaded: an older version of the page left
 * them.
 */
export function removeOrphanPatches(run: Run): Promise<void> {
  return run('readwrite', 'Cleaning up the storage', async (store) => {
    const [keys, models, pending] = await Promise.all([
      Promise.all(orphanKinds.map((kind) => promisifyRequest(store.getAllKeys(allUnder(kind))))).then((all) =>
        all.flat(),
      ),
      promisifyRequest<StoredModel[]>(store.getAll(allUnder('model'))),
      promisifyRequest<{ id?: string }[]>(store.getAll(allUnder('pending'))),
    ]);
    if (!models.every(isReadableModel)) return; // a newer version of the page knows what belongs to them
    const loading = new Set(pending.map(({ id }) => id));
    const revisions = new Map(models.map(({ id, revision }) => [id, revision]));
    const orphans = keys.filter((key) => {
      const [, id, revision] = key as string[];
      return !loading.has(id) && revisions.get(id!) !== revision;
    });
    if (orphans.length === 0) return;
    for (const key of orphans) store.delete(key);
    await promisifyRequest(store.transaction);
  });
}

function noLongerStored({ id }: PatchedModel, stored: StoredModel | undefined): LabError {
  const what = stored ? 'another version of it was stored' : 'it was forgotten';
  return new LabError(
    'not-found',
    `The weights of a variant are kept beside its model, and '${id}' is no longer stored: ${what} since it was opened.`,
    'Load the model again, then make the variant.',
  );
}

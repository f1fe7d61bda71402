/**
 * @file Texts stored in this browser: downloaded from the Hub once, or added by the user. In IndexedDB, separate from
 * models.
 */
import { get, promisifyRequest, type UseStore, values } from 'idb-keyval';
import { LabError } from '../errors';
import { databaseStore } from '../io/database';
import { asStorageError } from '../io/storage';
import { charactersOf, type Documents, hashDocuments } from './documents';

/** What is known of a stored text without its documents. */
export interface StoredCorpus {
  readonly name: string;
  readonly title: string;
  readonly kind: 'hub' | 'file' | 'text';
  /** See TextOrigin. */
  readonly source: string;
  readonly documents: number;
  readonly characters: number;
  /** False: only the beginning of the source. */
  readonly complete: boolean;
  readonly contentHash: string;
  /** Bytes in IndexedDB. */
  readonly bytes: number;
  /** When it came, ms since 1970. */
  readonly added: number;
  /** Of a text from the Hub: the catalogue's entry that it was fetched by, as JSON. */
  readonly entry?: string;
}

interface Stored {
  readonly version: 1;
  readonly about: StoredCorpus;
  /** JSON of the documents: browsers keep blobs as files. */
  readonly blob: Blob;
}

const corpora = databaseStore('secateur-corpora', 'corpora');

/** All stored texts, the oldest first. Throws 'storage'. */
export async function storedCorpora(): Promise<StoredCorpus[]> {
  const all = await values<Stored>(corpora).catch(asStorageError('The list of texts'));
  return all.map(({ about }) => about).sort((a, b) => a.added - b.added);
}

export async function findCorpus(name: string): Promise<StoredCorpus | null> {
  const stored = await get<Stored>(name, corpora).catch(asStorageError(`The text '${name}'`));
  return stored?.about ?? null;
}

/** The documents of a stored text; null where there is none of this name. Throws 'storage'. */
export async function readCorpus(name: string): Promise<{ about: StoredCorpus; texts: string[] } | null> {
  const stored = await get<Stored>(name, corpora).catch(asStorageError(`The text '${name}'`));
  if (!stored) return null;
  const texts: unknown = await new Response(stored.blob).json().catch((thrown: unknown) => {
    throw new UnreadableCorpus(name, thrown);
  });
  if (!Array.isArray(texts)) throw new UnreadableCorpus(name, 'no list');
  return { about: stored.about, texts: texts as string[] };
}

type CorpusAbout = Pick<StoredCorpus, 'name' | 'title' | 'kind' | 'source' | 'entry'>;

/** Stores a text under its name, in place of an earlier one. Throws 'quota', 'storage'. */
export async function saveCorpus(about: CorpusAbout, documents: Documents): Promise<StoredCorpus> {
  const stored = storedForm(about, documents);
  await change(corpora, about.name, (store) => void store.put(stored, about.name));
  return stored.about;
}

/**
 * Stores a text under the first of `names` that is free, or has this very content; in the transaction that looks, so that
 * no text of another tab takes the name in between. Throws 'quota', 'storage'.
 */
export async function saveCorpusAs(
  named: (number: number) => CorpusAbout,
  documents: Documents,
  use: UseStore = corpora,
): Promise<StoredCorpus> {
  const first = storedForm(named(1), documents);
  return change(use, first.about.name, async (store) => {
    for (let number = 1; ; number += 1) {
      const about = { ...first.about, ...named(number) };
      const there = await promisifyRequest<Stored | undefined>(store.get(about.name));
      if (there && there.about.contentHash !== about.contentHash) continue;
      if (!there) store.put({ ...first, about } satisfies Stored, about.name);
      return there?.about ?? about;
    }
  });
}

/** Runs `body` in one transaction and waits for its end. */
async function change<T>(use: UseStore, name: string, body: (store: IDBObjectStore) => T | PromiseLike<T>): Promise<T> {
  return use('readwrite', async (store) => {
    const result = await body(store);
    await promisifyRequest(store.transaction);
    return result;
  }).catch(asStorageError(`Storing the text '${name}'`));
}

function storedForm(about: CorpusAbout, { texts, complete }: Documents): Stored {
  const blob = new Blob([JSON.stringify(texts)]);
  const whole: StoredCorpus = {
    ...about,
    documents: texts.length,
    characters: charactersOf(texts),
    complete,
    contentHash: hashDocuments(texts),
    bytes: blob.size,
    added: Date.now(),
  };
  return { version: 1, about: whole, blob };
}

/** Removes a stored text; false where there is none of this name. */
export async function forgetCorpus(name: string, use: UseStore = corpora): Promise<boolean> {
  return change(use, name, async (store) => {
    const there = (await promisifyRequest(store.count(name))) > 0;
    if (there) store.delete(name);
    return there;
  });
}

/** A stored text whose bytes the browser does not give back. */
export class UnreadableCorpus extends LabError {
  constructor(name: string, cause: unknown) {
    super('storage', `The stored text '${name}' cannot be read (${String(cause)}).`, 'Forget it and add it again.', {
      cause,
    });
  }
}

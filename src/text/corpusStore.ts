/** @file Texts that stay in this browser: fetched from the Hub once, or given by a person. In IndexedDB, apart from models. */
import { createStore, del, get, set, values } from 'idb-keyval';
import { LabError } from '../errors';
import { asStorageError } from '../shards/storage';
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

const corpora = createStore('secateur-corpora', 'corpora');

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
  const broken = (cause: unknown): LabError =>
    new LabError(
      'storage',
      `The stored text '${name}' cannot be read (${String(cause)}).`,
      'Forget it and give it again.',
    );
  const texts: unknown = await new Response(stored.blob).json().catch((thrown: unknown) => {
    throw broken(thrown);
  });
  if (!Array.isArray(texts)) throw broken('no list');
  return { about: stored.about, texts: texts as string[] };
}

/** Stores a text under its name, in place of an earlier one. Throws 'quota', 'storage'. */
export async function keepCorpus(
  about: Pick<StoredCorpus, 'name' | 'title' | 'kind' | 'source' | 'entry'>,
  { texts, complete }: Documents,
): Promise<StoredCorpus> {
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
  const stored: Stored = { version: 1, about: whole, blob };
  await set(about.name, stored, corpora).catch(asStorageError(`Storing the text '${about.name}'`));
  return whole;
}

export async function forgetCorpus(name: string): Promise<void> {
  await del(name, corpora).catch(asStorageError(`The text '${name}'`));
}

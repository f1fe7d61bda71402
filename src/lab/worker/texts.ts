/**
 * @file The texts that measurements can name: those that ship with the page, those of its catalogue on the Hub, and
 * those that a user gave. What comes from the Hub or from a user is stored, so that it is there tomorrow without
 * either.
 */
import { LabError, unlessAborted } from '../../errors';
import { maxTextBytes } from '../../io/json';
import type { RetryPolicy } from '../../io/retry';
import { pageTransport, readPageText } from '../../shards/sources/http';
import { calibrationFile, evaluationFile } from '../../shards/sources/modelFiles';
import { SharedWork } from '../../shared';
import type { TaskOptions } from '../../task';
import { type CorpusEntry, parseCorpora } from '../../text/corpora';
import {
  findCorpus,
  forgetCorpus,
  readCorpus,
  type StoredCorpus,
  saveCorpus,
  saveCorpusAs,
  storedCorpora,
  UnreadableCorpus,
} from '../../text/corpusStore';
import { type Documents, hashDocuments, maxCharacters } from '../../text/documents';
import { fetchHubCorpus } from '../../text/hubCorpus';
import { readTextFile } from '../../text/readers/file';
import type { AddTextOptions, CorpusInfo, TextSource } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import type { OpenModel } from './models';
import { pageUrl } from './pageUrl';
import { hubOrigin } from './sourceChoice';

/** A text that measurements can be made on. */
export interface Corpus {
  readonly name: string;
  readonly source: string;
  /** The demo's books of stories, read in their own way. */
  readonly builtIn: boolean;
  readonly texts: readonly string[];
  readonly contentHash: string;
}

/** Texts that ship with the page, by the name that requests and reports use. */
const builtIn: Readonly<Record<string, { file: string; title: string; use: 'calibration' | 'evaluation' }>> = {
  calibration: { file: calibrationFile, title: 'Built-in stories', use: 'calibration' },
  evaluation: { file: evaluationFile, title: 'Built-in stories, held out', use: 'evaluation' },
};

/** Opened texts to keep: one to calibrate on, one to evaluate on, and one on the way. */
const keepOpen = 3;

/** Reads a file that lies beside the page; `what` names it in errors. Throws 'network'. */
type PageFile = (path: string, what: string, signal: AbortSignal | undefined) => Promise<string>;

export class TextLibrary {
  readonly #pageFile: PageFile;
  readonly #retry: RetryPolicy | undefined;
  #catalogue: Promise<CorpusEntry[]> | null = null;
  readonly #open = new Map<string, Corpus>();
  readonly #fetching = new Map<string, SharedWork<Corpus>>();

  constructor(options: { pageFile?: PageFile; retry?: RetryPolicy } = {}) {
    this.#pageFile = options.pageFile ?? fetchPageFile;
    this.#retry = options.retry;
  }

  /** Everything that can be named, stored or not. Throws 'storage'. */
  async list(): Promise<CorpusInfo[]> {
    const [stored, entries] = await Promise.all([storedCorpora(), this.#entries().catch(() => [])]);
    const kept = new Map(stored.map((about) => [about.name, about]));
    const catalogued = entries.map(({ name, title, uses, why }): CorpusInfo => {
      const about = kept.get(name);
      return about ? { ...storedInfo(about), title, uses, why } : { name, title, kind: 'hub', uses, why, stored: null };
    });
    const listed = new Set(catalogued.map(({ name }) => name));
    return [
      ...Object.entries(builtIn).map(
        ([name, { title, use }]): CorpusInfo => ({ name, title, kind: 'built-in', uses: [use], stored: null }),
      ),
      ...catalogued,
      ...stored.filter(({ name }) => !listed.has(name)).map(storedInfo),
    ];
  }

  /** Reads and stores a user's text. Throws 'bad-source', 'bad-argument', 'quota', 'storage'. */
  async add(source: TextSource, { field, title }: Plain<AddTextOptions>, task: TaskOptions): Promise<CorpusInfo> {
    if (source instanceof File) {
      const documents = await readTextFile(source, { ...task, field });
      return this.#keep('file', title ?? source.name, `file ${source.name}`, documents);
    }
    if (typeof source !== 'string') {
      throw new LabError('bad-argument', 'addText: expected a string or a File.', 'Pass the text or one file.');
    }
    if (source.trim() === '' || source.length > maxCharacters) {
      const message = `addText: expected 1 to ${maxCharacters} characters, not only spaces, got ${source.length}.`;
      throw new LabError('bad-argument', message, 'Use another text.');
    }
    return this.#keep('text', title ?? 'Pasted text', 'pasted text', { texts: [source], complete: true });
  }

  /** A name means one content for good: another content under the same title gets a number. */
  async #keep(kind: 'file' | 'text', title: string, source: string, documents: Documents): Promise<CorpusInfo> {
    const named = (number: number) => {
      const numbered = number === 1 ? title : `${title} (${number})`;
      return { name: `${kind}:${numbered}`, title: numbered, kind, source };
    };
    return storedInfo(await saveCorpusAs(named, documents));
  }

  /** Brings a text of the catalogue into this browser, unless it is there. */
  async fetch(name: string, hub: string | undefined, task: TaskOptions): Promise<CorpusInfo> {
    await this.open(name, null, hub, task);
    const about = await findCorpus(name);
    const info = (await this.list()).find((each) => each.name === name);
    if (info) return info;
    if (about) return storedInfo(about);
    throw this.#unknown(name, []);
  }

  /** Removes a stored text. Throws 'not-found'. */
  async forget(name: string): Promise<void> {
    this.#open.delete(name);
    if (await forgetCorpus(name)) return;
    throw new LabError('not-found', `No stored text has the name '${name.slice(0, 100)}'.`, 'See lab.texts().');
  }

  /**
   * A text with its documents: from memory, from IndexedDB, from the page, or from the Hub, and then stored. Throws
   * 'bad-argument' for an unknown name, and the errors of download and storage.
   */
  async open(name: string, model: OpenModel | null, hub: string | undefined, task: TaskOptions): Promise<Corpus> {
    const open = this.#open.get(name);
    if (open && (await isCurrent(open))) return open;
    const corpus = Object.hasOwn(builtIn, name)
      ? await this.#shipped(name, builtIn[name]!.file, model, task.signal)
      : await this.#fetchedOnce(name, hub, task);
    // The demo's own copy of the stories serves the demo alone.
    if (!corpus.builtIn) {
      this.#open.set(name, corpus);
      for (const oldest of [...this.#open.keys()].slice(0, -keepOpen)) this.#open.delete(oldest);
    }
    return corpus;
  }

  /** Callers of one text share its download: each may leave immediately, and the download stops when all have left. */
  #fetchedOnce(name: string, hub: string | undefined, task: TaskOptions): Promise<Corpus> {
    const key = JSON.stringify([name, hub ?? null]);
    const known = this.#fetching.get(key);
    if (known && !known.abandoned) return known.join(task, 'Downloading the text');
    const fetching = new SharedWork((shared) => this.#storedOrFetched(name, hub, shared));
    this.#fetching.set(key, fetching);
    const over = (): void => {
      if (this.#fetching.get(key) === fetching) this.#fetching.delete(key);
    };
    fetching.result.then(over, over);
    return fetching.join(task, 'Downloading the text');
  }

  async #storedOrFetched(name: string, hub: string | undefined, task: TaskOptions): Promise<Corpus> {
    const stored = await readCorpus(name).catch(async (thrown: unknown) => {
      if (!(thrown instanceof UnreadableCorpus)) throw thrown;
      // What the Hub has is fetched again in its place; of a user's own text there is no other copy.
      if (!(await this.#entries()).some((each) => each.name === name)) throw thrown;
      const stage = 'the stored copy could not be read: downloading it again';
      task.onProgress?.({ stage, done: 0, total: 0, unit: 'bytes' });
      return null;
    });
    const entries = await unlessAborted(this.#entries(), task.signal).catch((thrown: unknown) => {
      if (stored && !task.signal?.aborted) return null; // without the page's list, what is stored is right
      throw thrown;
    });
    const entry = entries?.find((each) => each.name === name);
    const current = !entry || stored?.about.entry === JSON.stringify(entry);
    if (stored && current) return opened(stored.about, stored.texts);
    if (!entry) throw this.#unknown(name, entries ?? []);
    const { source, ...documents } = await fetchHubCorpus(entry, {
      ...task,
      hub: hub === undefined ? hub : hubOrigin(hub),
      retry: this.#retry,
    });
    const about = { name, title: entry.title, kind: 'hub', source, entry: JSON.stringify(entry) } as const;
    return opened(await saveCorpus(about, documents), documents.texts);
  }

  /** The page's catalogue; read again where that failed. */
  #entries(): Promise<CorpusEntry[]> {
    this.#catalogue ??= this.#fetchCorpora().catch((thrown: unknown) => {
      this.#catalogue = null;
      throw thrown;
    });
    return this.#catalogue;
  }

  async #fetchCorpora(): Promise<CorpusEntry[]> {
    const text = await this.#pageFile('corpora.json', 'The list of corpora', undefined);
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (cause) {
      const message = `corpora.json is not JSON (${cause instanceof Error ? cause.message : String(cause)}).`;
      throw new LabError('bad-source', message, 'Correct the file, or use your own text.', { cause });
    }
    return parseCorpora(json);
  }

  /** A built-in text: from the stored demo when that is open, else from the page. */
  async #shipped(
    name: string,
    file: string,
    model: OpenModel | null,
    signal: AbortSignal | undefined,
  ): Promise<Corpus> {
    const stored = model?.info.id === 'demo' ? await model.checkpoint.text(file) : null;
    const text = stored ?? (await this.#pageFile(`demo/${file}`, `The corpus '${name}'`, signal));
    return { name, source: 'built-in', builtIn: true, texts: [text], contentHash: hashDocuments([text]) };
  }

  #unknown(name: string, entries: readonly CorpusEntry[]): LabError {
    const known = [...Object.keys(builtIn), ...entries.map((entry) => entry.name)].join(', ');
    return new LabError(
      'bad-argument',
      `corpus: expected one of ${known} or an added text, got '${String(name).slice(0, 100)}'.`,
      'See lab.texts(), or pass text or tokenIds.',
    );
  }
}

/** Another tab may have forgotten a text and given its name to another one; what came from the Hub stays what it was. */
async function isCurrent({ name, source, contentHash }: Corpus): Promise<boolean> {
  const about = await findCorpus(name).catch(() => undefined);
  return about === null ? source.startsWith('hf:') : about === undefined || about.contentHash === contentHash;
}

function storedInfo(about: StoredCorpus): CorpusInfo {
  const { name, title, kind, ...stored } = about;
  return { name, title, kind, uses: ['calibration', 'evaluation'], stored };
}

function opened({ name, source, contentHash }: StoredCorpus, texts: readonly string[]): Corpus {
  return { name, source, builtIn: false, texts, contentHash };
}

const fetchPageFile: PageFile = (path, _what, signal) =>
  readPageText(new URL(path, pageUrl()), path, pageTransport(), maxTextBytes, signal);

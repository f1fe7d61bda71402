/** @file A text as a list of documents: what every reader gives and every protocol takes, within a bound. */
import { LabError } from '../errors';
import { hashBytes } from '../shards/hash';

export interface Documents {
  /** In the order of the source: rows of a data set, lines of a .jsonl, one for a .txt. */
  readonly texts: readonly string[];
  /** False: the source goes on where `texts` end. */
  readonly complete: boolean;
}

/** Characters of a text, all documents together: six times the largest set that the paper evaluates on. */
export const maxCharacters = 2 ** 23;

/** Names of files that can be read (readers/file.ts), as a chooser of files wants them. */
export const textFileTypes = '.txt,.md,.jsonl,.ndjson,.parquet,.gz';

/** Takes documents until the bound, or until there are enough. */
export class DocumentCollector {
  readonly #texts: string[] = [];
  readonly #maxRows: number;
  readonly #what: string;
  #characters = 0;
  #full = false;

  /** @param what names the source in errors */
  constructor(what: string, maxRows: number = Number.POSITIVE_INFINITY) {
    this.#what = what;
    this.#maxRows = maxRows;
  }

  /** No further document is taken. */
  get full(): boolean {
    return this.#full;
  }

  get count(): number {
    return this.#texts.length;
  }

  /** Takes a document, unless the text is full. Throws 'bad-source' for a first one that is too long by itself. */
  add(text: string): void {
    if (this.#full) return;
    if (this.#characters + text.length > maxCharacters || this.#texts.length >= this.#maxRows) {
      if (this.#texts.length === 0) throw tooLong(this.#what);
      this.#full = true;
      return;
    }
    this.#texts.push(text);
    this.#characters += text.length;
  }

  /** @throws LabError 'bad-source' where there was no text at all */
  finish(ended: boolean): Documents {
    if (this.#characters > 0) return { texts: this.#texts, complete: ended && !this.#full };
    throw new LabError('bad-source', `${this.#what} holds no text.`, 'Choose another text.');
  }
}

export function tooLong(what: string): LabError {
  return new LabError(
    'bad-source',
    `${what}: expected at most ${maxCharacters} characters in one document, got more.`,
    'Cut the text: a few hundred thousand characters give a perplexity that hardly moves any more.',
  );
}

/** Name of the documents' content, boundaries included: 16 hexadecimal digits. */
export function hashDocuments(texts: readonly string[]): string {
  return hashBytes(new TextEncoder().encode(JSON.stringify(texts)));
}

export function charactersOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

/** @file A text as a list of documents: what every reader gives and every protocol takes, within a bound. */
import { LabError } from '../errors';
import { hashBytes } from '../io/hash';

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

/** Documents of a text, and rows or lines of a source that may be looked at for them: those without text count. */
export const maxDocuments = 2 ** 20;
const maxLooked = 2 ** 22;

/** What a text may still take. */
export interface Room {
  readonly characters: number;
  readonly documents: number;
  /** Rows or lines that may still be looked at. */
  readonly looked: number;
}

const whole: Room = { characters: maxCharacters, documents: maxDocuments, looked: maxLooked };

/** Takes documents until one of the bounds. */
export class DocumentCollector {
  readonly #texts: string[] = [];
  readonly #room: Room;
  readonly #what: string;
  #characters = 0;
  #skipped = 0;
  #full = false;

  /**
   * @param what names the source in errors
   * @param room bounds, or documents alone
   */
  constructor(what: string, room: Room | number | undefined = whole) {
    this.#what = what;
    this.#room = typeof room === 'number' ? { ...whole, documents: Math.min(room, maxDocuments) } : room;
  }

  /** No further document is taken. */
  get full(): boolean {
    return this.#full;
  }

  get count(): number {
    return this.#texts.length;
  }

  /** What it may still take. */
  get room(): Room {
    const { characters, documents, looked } = this.#room;
    return {
      characters: characters - this.#characters,
      documents: documents - this.#texts.length,
      looked: looked - this.#skipped - this.#texts.length,
    };
  }

  /** Takes a document, unless the text is full. Throws 'bad-source' for a first one that is too long by itself. */
  add(text: string): void {
    if (this.#full) return;
    const room = this.room;
    if (text.length > room.characters || room.documents <= 0 || room.looked <= 0) {
      if (text.length > maxCharacters && this.#texts.length === 0) throw tooLong(this.#what);
      this.#full = true;
      return;
    }
    this.#texts.push(text);
    this.#characters += text.length;
  }

  /** Counts a row or line without text: a source of nothing else ends, too. */
  skip(): void {
    if (this.room.looked <= 0) this.#full = true;
    else this.#skipped += 1;
  }

  /** The source goes on, and no more of it is wanted. */
  close(): void {
    this.#full = true;
  }

  /** What was found so far, for another collector. */
  found(): { texts: readonly string[]; skipped: number; full: boolean } {
    return { texts: this.#texts, skipped: this.#skipped, full: this.#full };
  }

  /** @throws LabError 'bad-source' where there was no text at all */
  finish(ended: boolean): Documents {
    if (this.#characters > 0) return { texts: this.#texts, complete: ended && !this.#full };
    throw new LabError('bad-source', `${this.#what} contains no text.`, 'Choose another text.');
  }
}

export function tooLong(what: string): LabError {
  return new LabError(
    'bad-source',
    `${what}: expected at most ${maxCharacters} characters in one document, got more.`,
    'Shorten the text: the perplexity hardly changes beyond a few hundred thousand characters.',
  );
}

/** Name of the documents' content, boundaries included: 16 hexadecimal digits. */
export function hashDocuments(texts: readonly string[]): string {
  return hashBytes(new TextEncoder().encode(JSON.stringify(texts)));
}

export function charactersOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

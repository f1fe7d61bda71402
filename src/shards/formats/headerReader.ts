/** @file A safetensors header out of a stream: parsed as soon as its last byte is there. */
import { headerLength, parseHeader, prefixBytes, type SafetensorsHeader } from './safetensors';

/** Holds the first bytes of a file until they are a header, and nothing after. */
export class HeaderReader {
  /** Null until enough bytes came. */
  header: SafetensorsHeader | null = null;
  readonly #file: string;
  readonly #fileBytes: number | null;
  #held: Uint8Array<ArrayBuffer>[] = [];
  #heldBytes = 0;
  #jsonBytes: number | null = null;

  constructor(file: string, fileBytes: number | null) {
    this.#file = file;
    this.#fileBytes = fileBytes;
  }

  /** Least size of a file whose header is not complete yet. */
  get minimumBytes(): number {
    return prefixBytes + (this.#jsonBytes ?? 1);
  }

  /** Takes the next piece; returns the header once it is complete. Throws 'bad-safetensors'. */
  push(piece: Uint8Array<ArrayBuffer>): SafetensorsHeader | null {
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    if (this.#jsonBytes === null) {
      if (this.#heldBytes < prefixBytes) return null;
      this.#jsonBytes = headerLength(this.#take(0, prefixBytes), this.#fileBytes, this.#file);
    }
    const end = prefixBytes + this.#jsonBytes;
    if (this.#heldBytes < end) return null;
    this.header = parseHeader(this.#take(prefixBytes, end), this.#fileBytes, this.#file);
    this.#held = [];
    return this.header;
  }

  /** Bytes [begin, end) of the held part. */
  #take(begin: number, end: number): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(end - begin);
    let start = 0;
    for (const piece of this.#held) {
      const part = piece.subarray(Math.max(0, begin - start), Math.max(0, end - start));
      if (part.length > 0) taken.set(part, Math.max(0, start - begin));
      start += piece.length;
    }
    return taken;
  }
}

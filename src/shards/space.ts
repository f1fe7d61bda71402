/** @file Will it fit? Asked before the first byte, and again whenever a size becomes known. */
import type { RepositoryFile } from './repository';
import { quotaError } from './storage';

/** What the files will take, against what the browser gives: grows as sizes become known. */
export class Space {
  readonly #sizes: Map<string, number>;
  readonly #free: number | null;
  readonly #label: string;

  constructor(files: readonly RepositoryFile[], free: number | null, label: string) {
    this.#sizes = new Map(files.map((file) => [file.name, file.size ?? 0]));
    this.#free = free;
    this.#label = label;
    this.#check();
  }

  /** Bytes of all files whose size is known. */
  expected(): number {
    return [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  learn(file: string, size: number): void {
    this.#sizes.set(file, size);
    this.#check();
  }

  #check(): void {
    if (this.#free !== null && this.expected() > this.#free) {
      throw quotaError(`Storing ${this.#label}`, this.expected(), this.#free);
    }
  }
}

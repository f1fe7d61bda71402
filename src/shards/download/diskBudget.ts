/** @file Will it fit? Asked before the first byte, and again whenever a size becomes known; and what to do if not. */

import { formatBytes, quotaError } from '../../io/storage';
import type { RepositoryFile } from '../sources/repository';
import type { StoredModel } from '../store/manifest';

/** What the files will take, against what the browser gives: grows as sizes become known. */
export class DiskBudget {
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

/** Stored models that the user may forget. */
export type Forgettable = Pick<StoredModel, 'source' | 'bytes' | 'lastUsed'>;

/**
 * What to forget for `missing` more bytes: the one model that is enough and was not used for longest, else those not
 * used for longest; empty when all together are not enough. `missing` null: not known, so the one not used for longest.
 */
export function whatToForget(missing: number | null, stored: readonly Forgettable[]): Forgettable[] {
  const oldest = [...stored].sort((a, b) => a.lastUsed - b.lastUsed);
  const one = oldest.find(({ bytes }) => bytes >= (missing ?? 0));
  if (one) return [one];
  const chosen: Forgettable[] = [];
  let freed = 0;
  for (const model of oldest) {
    chosen.push(model);
    freed += model.bytes;
    if (freed >= (missing ?? 0)) return chosen;
  }
  return [];
}

/** The advice for a full storage, in words. `kept`: what has come of the model stays, and serves the next attempt. */
export function diskAdvice(missing: number | null, stored: readonly Forgettable[], kept = false): string {
  const chosen = whatToForget(missing, stored);
  const names = chosen.map(({ source, bytes }) => `${source} (${formatBytes(bytes)})`).join(' and ');
  const all = formatBytes(stored.reduce((sum, { bytes }) => sum + bytes, 0));
  const forget =
    stored.length === 0
      ? 'There is no stored model to forget: free disk space'
      : chosen.length === 0
        ? `Forgetting all stored models (${all}) would not be enough: free disk space`
        : `Forget ${names}, or free disk space`;
  return `${forget}, then load again${kept ? ': the part that was downloaded is kept, and only the rest is downloaded' : ''}.`;
}

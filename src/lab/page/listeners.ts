/** @file Functions that are told of an event. */

export class Listeners<T> {
  readonly #all = new Set<(value: T) => void>();

  readonly add = (listener: (value: T) => void): void => {
    this.#all.add(listener);
  };

  tell(value: T): void {
    for (const listener of this.#all) listener(value);
  }
}

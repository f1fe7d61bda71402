/**
 * @file The voice of the story grammar: it writes text, makes choices and keeps the account of surprise.
 *
 * Choices are lazy. A word is drawn at the moment it is first written, never earlier, so the surprise
 * −ln p of a choice belongs to the words that reveal it, and a text has exactly one derivation.
 */

/** A run of text and the surprise (nats) of the choices that its first characters reveal. */
export interface Piece {
  text: string;
  nats: number;
}

/** Picks one of `weights.length` options; random when telling, scripted when a text is derived again. */
export type Chooser = (weights: readonly number[]) => number;

/** A word that is drawn when first asked for, and stays the same afterwards. */
export type Word = () => string;

export class Teller {
  readonly #choose: Chooser;
  readonly #onWrite: (text: string) => void;
  readonly #pieces: Piece[] = [];
  #pendingNats = 0;

  constructor(choose: Chooser, onWrite: (text: string) => void = () => {}) {
    this.#choose = choose;
    this.#onWrite = onWrite;
  }

  /** One of the options; uniform unless weights (any positive scale) are given. */
  pick<T>(options: readonly T[], weights?: readonly number[]): T {
    const scale = weights ?? options.map(() => 1);
    const index = this.#choose(scale);
    const total = scale.reduce((sum, weight) => sum + weight, 0);
    this.#pendingNats -= Math.log((scale[index] as number) / total);
    return options[index] as T;
  }

  /** A word from the list, drawn at first use; `except` names words that it must not repeat. */
  word(options: readonly string[], except: readonly Word[] = []): Word {
    let drawn: string | undefined;
    return () => {
      if (drawn === undefined) {
        const taken = except.map((word) => word());
        drawn = this.pick(options.filter((option) => !taken.includes(option)));
      }
      return drawn;
    };
  }

  /** Fresh words for one spot: drawn anew each time it is written. */
  any(...options: string[]): Word {
    return () => this.pick(options);
  }

  /** Tell one of several ways to go on. */
  one(...ways: (() => void)[]): void {
    this.pick(ways)();
  }

  /** Tell it with this probability. */
  maybe(probability: number, way: () => void): void {
    if (this.pick([true, false], [probability, 1 - probability])) way();
  }

  /** Write a sentence; words inside `${}` are drawn when the pen reaches them. */
  say(strings: TemplateStringsArray, ...words: (Word | string)[]): void {
    this.#write((this.#pieces.length > 0 ? ' ' : '') + (strings[0] as string));
    for (const [index, word] of words.entries()) {
      this.#write(typeof word === 'string' ? word : word());
      this.#write(strings[index + 1] as string);
    }
  }

  /** The pieces so far, closed by an empty piece that holds the surprise of ending here. */
  finish(): Piece[] {
    return [...this.#pieces, { text: '', nats: this.#pendingNats }];
  }

  /** Append to the last piece where nothing was chosen, else open a new one. */
  #write(text: string): void {
    if (text === '') return;
    this.#onWrite(text);
    const last = this.#pieces.at(-1);
    if (last && this.#pendingNats === 0) last.text += text;
    else this.#pieces.push({ text, nats: this.#pendingNats });
    this.#pendingNats = 0;
  }
}

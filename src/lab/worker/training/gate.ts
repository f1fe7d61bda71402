/** @file Where a training stands still between two steps while something is measured that steps would falsify. */

/** How often a training that stands still looks whether it may go on, ms. */
const lookMs = 20;

export class Gate {
  /** How many want it closed. */
  closed = 0;
  #works = false;
  #whenStill: (() => void)[] = [];

  /** A training begins to work on the GPU. */
  enter(): void {
    this.#works = true;
  }

  /** It ends, or stands still. */
  leave(): void {
    this.#works = false;
    for (const still of this.#whenStill.splice(0)) still();
  }

  /** Resolves when no training works. */
  async reached(): Promise<void> {
    if (this.#works) await new Promise<void>((resolve) => this.#whenStill.push(resolve));
  }

  /** Between two steps: stands still until the gate is open, or somebody wants something else of the training. */
  async pass(wanted: () => boolean): Promise<void> {
    if (this.closed === 0) return;
    this.leave();
    while (this.closed > 0 && !wanted()) await new Promise((resolve) => setTimeout(resolve, lookMs));
    this.enter();
  }
}

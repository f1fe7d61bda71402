/** @file The engines of variants that are open beside the base's: a few, since each may hold weights of its own on the GPU. */
import type { Engine } from '../../engine/engine';
import type { ModelView } from '../../model/view';
import { SharedWork } from '../../shared';

/** Engines of variants that stay open; a variant that is asked for again later opens again. */
const mostOpen = 6;

export class ViewEngines {
  /** By the view's id. */
  readonly #open = new Map<string, SharedWork<Engine>>();
  /** Those that are ready, by the view's id. */
  readonly #ready = new Map<string, Engine>();

  /** The engine of a view, opened on the base's unless it is open. All who wait share the upload. */
  of(base: Engine, view: ModelView): SharedWork<Engine> {
    const known = this.#open.get(view.id);
    if (known !== undefined && !known.abandoned) return known;
    const opened = new SharedWork((task) => base.open(view, task));
    this.#open.set(view.id, opened);
    opened.result.then(
      (engine) => {
        if (this.#open.get(view.id) === opened) {
          this.#ready.set(view.id, engine);
          this.#closeUnused(view.id);
        } else {
          closeQuietly(engine); // discarded, or everybody left and another one took its place
        }
      },
      () => {
        if (this.#open.get(view.id) === opened) this.#open.delete(view.id); // the next call tries again
      },
    );
    return opened;
  }

  /** Closes a view's engine and frees what only it holds. Calls at work on it reject. */
  async close(id: string): Promise<void> {
    const opened = this.#open.get(id);
    this.#open.delete(id);
    this.#ready.delete(id);
    const engine = await opened?.result.catch(() => null); // what never opened holds nothing
    await engine?.close();
  }

  /** Forgets all: they end with the base's engine. */
  clear(): void {
    this.#open.clear();
    this.#ready.clear();
  }

  /** Closes the engines that no task has used for longest, beyond those that may stay. One that just opened is about to be used. */
  #closeUnused(justOpened: string): void {
    const idle = [...this.#ready].filter(([id, { busy }]) => id !== justOpened && !busy);
    idle.sort(([, a], [, b]) => a.lastUsed - b.lastUsed);
    for (const [id, engine] of idle.slice(0, Math.max(0, this.#ready.size - mostOpen))) {
      this.#open.delete(id);
      this.#ready.delete(id);
      closeQuietly(engine);
    }
  }
}

function closeQuietly(engine: Engine): void {
  engine.close().catch((thrown: unknown) => console.warn('The engine of a variant could not be closed.', thrown));
}

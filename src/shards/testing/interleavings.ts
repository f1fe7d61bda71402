/**
 * @file Runs actors in every order of their steps. A step is a transaction of the shared database or a request for a lock;
 * what an actor does between two steps concerns itself only, so that the order of the steps is all that can differ.
 */
import type { UseStore } from 'idb-keyval';
import type { Locks } from '../../io/locks';
import { LockTable, noLocks } from './locks';

/** What an actor works through: each use is a step that waits for its turn. */
export interface Hands {
  readonly use: UseStore;
  readonly locks: Locks;
}

export interface Scene {
  readonly database: UseStore;
  readonly actors: readonly ((hands: Hands) => Promise<unknown>)[];
  /** Looks at the end of a run: what each actor came to, and what the database holds. */
  readonly check: (results: PromiseSettledResult<unknown>[], order: string) => Promise<void>;
}

export interface Choices {
  /** Locks that never block. */
  readonly withoutLocks?: boolean;
  /** The first actor's tab is closed before its n-th step, counted from 0; what it was doing never goes on. */
  readonly dies?: number;
  /**
   * Only orders in which actors are interrupted so often at most, that is, another goes on although they could. Without
   * it, every order: what two or three steps decide is found with two interruptions, long scenes have too many orders.
   */
  readonly interruptions?: number;
  /** More orders than that are an error. */
  readonly most?: number;
}

interface Turn {
  readonly actor: number;
  readonly take: () => void;
}

class Run {
  readonly #waiting: Turn[] = [];
  readonly #table = new LockTable();
  readonly #tabs: ReturnType<LockTable['tab']>[] = [];
  readonly #done: boolean[] = [];
  readonly #steps: number[] = [];
  #busy = 0;
  order = '';

  constructor(
    readonly scene: Scene,
    readonly choices: Choices,
  ) {}

  /**
   * `chosen` decides which actor goes on where several can; what it lacks is the one that went last, or the first.
   * Returns how many could each time.
   */
  async go(chosen: readonly number[]): Promise<number[]> {
    const ways: number[] = [];
    const { interruptions = Number.POSITIVE_INFINITY } = this.choices;
    let last = -1;
    let interrupted = 0;
    const results = this.scene.actors.map((actor, index) => {
      this.#done.push(false);
      this.#steps.push(0);
      this.#tabs.push(this.#table.tab());
      const over = (): void => {
        this.#done[index] = true;
      };
      const result = actor(this.#hands(index));
      result.then(over, over);
      return result;
    });
    for (;;) {
      await this.#settle();
      const able = [...new Set(this.#waiting.map(({ actor }) => actor))];
      if (able.length === 0) break;
      const ready = able.sort((a, b) => Number(b === last) - Number(a === last) || a - b);
      const at = chosen[ways.length] ?? 0;
      const bound = interrupted >= interruptions && ready[0] === last;
      ways.push(bound ? 1 : ready.length);
      const actor = ready[at]!;
      if (at > 0 && ready[0] === last) interrupted += 1;
      last = actor;
      if (actor === 0 && this.choices.dies === this.#steps[0]) this.#kill();
      else this.#take(actor);
    }
    const left = results.filter((_, index) => this.choices.dies === undefined || index > 0);
    await this.scene.check(await Promise.allSettled(left), this.order);
    return ways;
  }

  #take(actor: number): void {
    const turn = this.#waiting.find((each) => each.actor === actor)!;
    this.#waiting.splice(this.#waiting.indexOf(turn), 1);
    this.#steps[actor]! += 1;
    this.order += String.fromCharCode(65 + actor);
    turn.take();
  }

  #kill(): void {
    this.order += '†';
    for (const turn of this.#waiting.filter((each) => each.actor === 0)) {
      this.#waiting.splice(this.#waiting.indexOf(turn), 1);
    }
    this.#done[0] = true;
    this.#tabs[0]!.close();
  }

  /** Until every actor waits for its turn or for a lock, or is done. */
  async #settle(): Promise<void> {
    const still = (index: number): boolean =>
      this.#done[index] === true ||
      this.#waiting.some(({ actor }) => actor === index) ||
      this.#tabs[index]!.waits() > 0;
    for (let tick = 0, quiet = false; !quiet; tick += 1) {
      if (tick > 100_000) throw new Error(`An actor neither goes on nor waits: ${this.order}`);
      await new Promise((resolve) => setImmediate(resolve));
      quiet = this.#busy === 0 && this.#tabs.every((_, index) => still(index));
    }
  }

  #hands(actor: number): Hands {
    const turn = (): Promise<void> => {
      if (this.#done[actor]) return new Promise(() => undefined); // its tab is closed
      return new Promise((take) => this.#waiting.push({ actor, take }));
    };
    const use: UseStore = async (mode, body) => {
      await turn();
      this.#busy += 1;
      try {
        return await this.scene.database(mode, body);
      } finally {
        this.#busy -= 1;
      }
    };
    const tab = this.#tabs[actor]!;
    const locks: Locks = {
      async request(name, wish, work) {
        await turn();
        return tab.request(name, wish, work);
      },
      query: () => tab.query(),
    };
    return { use, locks: this.choices.withoutLocks ? noLocks : locks };
  }
}

/** Runs a scene, made again each time, in every order; returns the number of orders. */
export async function inEveryOrder(make: () => Promise<Scene>, choices: Choices = {}): Promise<number> {
  const { most = 5_000 } = choices;
  let chosen: number[] = [];
  for (let runs = 1; ; runs += 1) {
    const run = new Run(await make(), choices);
    let ways: number[];
    try {
      ways = await run.go(chosen);
    } catch (thrown) {
      throw new Error(`In the order ${run.order}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
        cause: thrown,
      });
    }
    // The last place where another actor could have gone on instead.
    const full = ways.map((_, index) => chosen[index] ?? 0);
    let last = full.length - 1;
    while (last >= 0 && full[last]! + 1 >= ways[last]!) last -= 1;
    if (last < 0) return runs;
    if (runs >= most) throw new Error(`More than ${most} orders: make the scene smaller.`);
    chosen = [...full.slice(0, last), full[last]! + 1];
  }
}

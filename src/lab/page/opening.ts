/**
 * @file Marks of models that are being opened. A mark outlives its tab, so that the page asks before it opens a model again
 * that has crashed the tab.
 *
 * The page writes a mark before it reads anything of the model, updates it with each stage, and removes it when the model has
 * shown its results or failed. A mark that a new visit finds belongs to a visit that ended too early, or to another tab that
 * is still opening the model. Such a tab holds a lock with the mark's name, and the browser releases the locks of a tab that
 * crashed.
 */
import * as v from 'valibot';

/** How far an opening has come: its files, its first perplexity, and the page's other first measurements. */
export type OpeningStage = 'loading' | 'measuring' | 'more';

const schema = v.object({
  /** A source of `lab.load` that opens it again. */
  source: v.pipe(v.string(), v.minLength(1), v.maxLength(2000)),
  stage: v.picklist(['loading', 'measuring', 'more']),
  /** The page was closed, reloaded or left in order, as far as it could tell: a tab that crashes writes nothing more. */
  left: v.boolean(),
  /** Visits in a row that ended while this model was opening, this one counted. */
  times: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** When it began, ms since 1970. */
  since: v.number(),
  /** The user was asked and chose something else: the page asks again only for a link that names the model. */
  settled: v.optional(v.boolean(), false),
});

export type OpeningMark = v.InferInput<typeof schema>;

/** A mark of a visit that has ended. */
export interface EndedOpening extends OpeningMark {
  readonly key: string;
}

/** One opening of this tab. */
export interface Opening {
  reached(stage: OpeningStage): void;
  /** It has shown its results, failed, or another took its place. */
  end(): void;
}

const prefix = 'secateur.opening.';
/** So many reloads in a row before the first result are taken for impatience, not for a fault. */
const patience = 3;
/** A page that still runs so long after 'beforeunload' was not left, ms. */
const stayed = 10_000;

/**
 * Whether the page asks the user before it opens this model again. A visit that was closed or reloaded in order is no reason
 * to doubt the demo or a model that has worked before, unless it happens again and again.
 */
export function mustAsk({ source, stage, left, times }: OpeningMark, knownGood: string | null): boolean {
  if (!left) return true;
  if (stage === 'more') return false;
  return !(source === 'demo' || source === knownGood) || times >= patience;
}

export class Openings {
  readonly #storage: Storage | null;
  readonly #locks: LockManager | null;
  readonly #page: EventTarget | null;
  readonly #own = new Map<string, OpeningMark>();

  /**
   * Null where the browser has none, or forbids it: then nothing is remembered, and nothing is asked. `page` tells when the page
   * is left.
   */
  constructor(storage: Storage | null, locks: LockManager | null, page: EventTarget | null = null) {
    this.#storage = storage;
    this.#locks = locks;
    this.#page = page;
    page?.addEventListener('pagehide', () => this.leaving(true));
    page?.addEventListener('pageshow', () => this.leaving(false));
  }

  /** Marks a model, before the page reads anything of it. */
  async begin(source: string): Promise<Opening> {
    const key = `${prefix}${randomName()}`;
    const release = await this.#hold(key);
    const before = (await this.ended()).filter((mark) => mark.source === source);
    const unfinished = before.filter(({ stage }) => stage !== 'more');
    const times = 1 + Math.max(0, ...unfinished.map((mark) => mark.times));
    this.#write(key, { source, stage: 'loading', left: false, times, since: Date.now() });
    this.forget(before);
    return {
      reached: (stage) => {
        const mark = this.#own.get(key);
        if (mark && mark.stage !== stage) this.#write(key, { ...mark, stage });
      },
      end: () => {
        this.#remove(key);
        release();
      },
    };
  }

  /** Marks of visits that have ended, the newest first. */
  async ended(): Promise<EndedOpening[]> {
    const held = await this.#held();
    return this.#stored()
      .filter(({ key, left }) => !this.#own.has(key) && (left || !held.has(key)))
      .sort((a, b) => b.since - a.since);
  }

  /** Keeps marks of ended visits as a warning, but asks about them no more. */
  settle(marks: readonly EndedOpening[]): void {
    for (const { key, ...mark } of marks) {
      this.#attempt((storage) => {
        // Another tab may have removed it meanwhile.
        if (storage.getItem(key) !== null) storage.setItem(key, JSON.stringify({ ...mark, settled: true }));
      });
    }
  }

  /** Removes marks of ended visits. */
  forget(marks: readonly EndedOpening[]): void {
    for (const { key } of marks) this.#remove(key);
  }

  /** The page is being left (or comes back from the browser's cache): its marks say so. */
  leaving(left: boolean): void {
    for (const [key, mark] of this.#own) this.#write(key, { ...mark, left });
  }

  /**
   * The browser waits for this event's listeners, but ends a busy page before its 'pagehide' was heard. If the user then stays,
   * the marks say so again.
   */
  readonly #aboutToLeave = (): void => {
    this.leaving(true);
    setTimeout(() => this.leaving(false), stayed);
  };

  /** Listens while a model is opening and no longer: some browsers keep no page for Back that has such a listener. */
  #listen(): void {
    if (this.#own.size > 0) this.#page?.addEventListener('beforeunload', this.#aboutToLeave);
    else this.#page?.removeEventListener('beforeunload', this.#aboutToLeave);
  }

  #write(key: string, mark: OpeningMark): void {
    this.#own.set(key, mark);
    this.#listen();
    this.#attempt((storage) => storage.setItem(key, JSON.stringify(mark)));
  }

  #remove(key: string): void {
    this.#own.delete(key);
    this.#listen();
    this.#attempt((storage) => storage.removeItem(key));
  }

  #stored(): EndedOpening[] {
    const found: EndedOpening[] = [];
    this.#attempt((storage) => {
      const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index));
      for (const key of keys) {
        if (!key?.startsWith(prefix)) continue;
        const mark = parseMark(storage.getItem(key));
        if (mark) found.push({ ...mark, key });
        else storage.removeItem(key); // of another version of the page, or not of ours
      }
    });
    return found;
  }

  /** A full storage, or one that is switched off, costs only the memory of it. */
  #attempt(work: (storage: Storage) => void): void {
    try {
      if (this.#storage) work(this.#storage);
    } catch (thrown) {
      console.warn('The page could not note in this browser which model it is opening.', thrown);
    }
  }

  async #held(): Promise<Set<string>> {
    const snapshot = await this.#locks?.query().catch(() => null);
    return new Set((snapshot?.held ?? []).flatMap(({ name }) => (name === undefined ? [] : [name])));
  }

  /** Holds a lock of this name; the answer releases it. */
  #hold(name: string): Promise<() => void> {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    return new Promise((resolve) => {
      const done = () => resolve(release);
      if (!this.#locks) return done();
      this.#locks
        .request(name, () => {
          done();
          return held;
        })
        .catch(done); // a browser that refuses locks: other tabs then take this opening for one that ended
    });
  }
}

function parseMark(text: string | null): OpeningMark | null {
  try {
    const parsed = v.safeParse(schema, JSON.parse(text ?? ''));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

/** crypto.randomUUID is missing on pages that are neither from https nor from this machine. */
function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(3)), (word) => word.toString(36)).join('-');
}

/**
 * Waits until another tab has written to the storage, at most so many milliseconds: the last word of a page that was just left may
 * come behind the first one of the next page.
 */
export function lateWord(ms = 2000): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      globalThis.removeEventListener?.('storage', hear);
      resolve();
    };
    const hear = ({ key }: StorageEvent): void => {
      if (key?.startsWith(prefix)) done();
    };
    const timer = setTimeout(done, ms);
    globalThis.addEventListener?.('storage', hear);
  });
}

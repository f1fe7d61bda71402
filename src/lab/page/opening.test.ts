import { beforeEach, expect, test, vi } from 'vitest';
import { type EndedOpening, mustAsk, type OpeningMark, Openings } from './opening';

/** A browser: what its tabs share, of which each tab's locks go when it ends. */
class Browser {
  readonly entries = new Map<string, string>();
  readonly held = new Set<string>();
  full = false;

  readonly storage: Storage = {
    getItem: (key) => this.entries.get(key) ?? null,
    setItem: (key, value) => {
      if (this.full) throw new DOMException('full', 'QuotaExceededError');
      this.entries.set(key, value);
    },
    removeItem: (key) => void this.entries.delete(key),
    key: (index) => [...this.entries.keys()][index] ?? null,
    clear: () => this.entries.clear(),
    get length() {
      return this.key === null ? 0 : browser.entries.size;
    },
  };

  /** A tab, and its end by a crash: without a word, but its locks are free. */
  tab(page: EventTarget | null = null): { openings: Openings; crash: () => void } {
    const own = new Set<string>();
    const locks = {
      query: async () => ({ held: [...this.held].map((name) => ({ name })), pending: [] }),
      request: async (name: string, work: () => Promise<void>) => {
        own.add(name);
        this.held.add(name);
        await work();
        this.held.delete(name);
      },
    } as unknown as LockManager;
    return {
      openings: new Openings(this.storage, locks, page),
      crash: () => {
        for (const name of own) this.held.delete(name);
      },
    };
  }
}

let browser: Browser;
beforeEach(() => {
  browser = new Browser();
});

const ended = () => browser.tab().openings.ended();

test('a model that ends the tab leaves its mark; one that opened, or failed, leaves none', async () => {
  const { openings, crash } = browser.tab();
  (await openings.begin('owner/good')).end();
  await openings.begin('owner/killer');
  crash();
  expect(await ended()).toMatchObject([{ source: 'owner/killer', stage: 'loading', left: false, times: 1 }]);
});

test('the mark is there before the caller gets to touch the model, and says how far that came', async () => {
  const { openings, crash } = browser.tab();
  const opening = await openings.begin('owner/killer');
  expect([...browser.entries.values()].join()).toContain('owner/killer');
  opening.reached('measuring');
  opening.reached('more');
  crash();
  expect(await ended()).toMatchObject([{ stage: 'more' }]);
});

test('a tab that is still opening a model is none that ended; once it is closed in order, it is', async () => {
  const { openings } = browser.tab();
  await openings.begin('owner/slow');
  expect(await ended()).toEqual([]);
  openings.leaving(true); // its locks may still be held for a moment
  expect(await ended()).toMatchObject([{ source: 'owner/slow', left: true }]);
  openings.leaving(false); // it came back from the browser's cache
  expect(await ended()).toEqual([]);
});

test('a page that the browser ends before it hears the last event was left in order; one that stays was not', async () => {
  vi.useFakeTimers();
  try {
    const page = new EventTarget();
    const { openings, crash } = browser.tab(page);
    const opening = await openings.begin('owner/slow');
    page.dispatchEvent(new Event('beforeunload'));
    opening.reached('more');
    expect(await ended()).toMatchObject([{ source: 'owner/slow', stage: 'more', left: true }]);
    await vi.advanceTimersByTimeAsync(10_000); // the user was asked by something else, and stays
    expect(await ended()).toEqual([]);
    crash();
    expect(await ended()).toMatchObject([{ left: false }]);
    opening.end();
    const listening = vi.spyOn(openings, 'leaving');
    page.dispatchEvent(new Event('beforeunload'));
    expect(listening).not.toHaveBeenCalled();
  } finally {
    vi.useRealTimers();
  }
});

test('two tabs that open one model and crash both leave a mark; a third visit counts the times', async () => {
  const [first, second] = [browser.tab(), browser.tab()];
  await first.openings.begin('owner/killer');
  await second.openings.begin('owner/killer');
  await second.openings.begin('owner/other');
  first.crash();
  second.crash();
  expect(await ended()).toHaveLength(3);
  const third = browser.tab();
  await third.openings.begin('owner/killer');
  third.crash();
  expect((await ended()).map(({ source, times }) => [source, times])).toEqual(
    expect.arrayContaining([
      ['owner/killer', 2],
      ['owner/other', 1],
    ]),
  );
  expect(await ended()).toHaveLength(2);
});

test('a visit that ended after the first result does not count against the model', async () => {
  const { openings, crash } = browser.tab();
  (await openings.begin('owner/fine')).reached('more');
  crash();
  const next = browser.tab();
  await next.openings.begin('owner/fine');
  next.crash();
  expect(await ended()).toMatchObject([{ times: 1 }]);
});

test('what is asked about can be forgotten', async () => {
  const { openings, crash } = browser.tab();
  await openings.begin('owner/killer');
  crash();
  const next = browser.tab().openings;
  next.forget(await next.ended());
  expect(await ended()).toEqual([]);
  expect(browser.entries.size).toBe(0);
});

test('what a person declined stays as a warning, until the model is opened on purpose', async () => {
  const { openings, crash } = browser.tab();
  await openings.begin('owner/killer');
  crash();
  const next = browser.tab().openings;
  next.settle(await next.ended());
  expect(await ended()).toMatchObject([{ source: 'owner/killer', settled: true, times: 1 }]);
  const again = browser.tab();
  const opening = await again.openings.begin('owner/killer');
  expect([...browser.entries.values()].map((text) => JSON.parse(text).times)).toEqual([2]);
  opening.end();
  expect(browser.entries.size).toBe(0);
});

test('entries that are no marks are removed, and others are left alone', async () => {
  browser.entries.set('secateur.opening.x', '{"source": 3}');
  browser.entries.set('secateur.opening.y', 'nonsense');
  browser.entries.set('secateur.theme', 'dark');
  expect(await ended()).toEqual([]);
  expect([...browser.entries.keys()]).toEqual(['secateur.theme']);
});

test('without storage, with a full one, and without locks a model opens all the same', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const forbidden = new Openings(null, null);
  (await forbidden.begin('owner/name')).end();
  expect(await forbidden.ended()).toEqual([]);
  browser.full = true;
  const { openings } = browser.tab();
  const opening = await openings.begin('owner/name');
  opening.reached('measuring');
  opening.end();
  const refusing = { query: () => Promise.reject(new Error('no')), request: () => Promise.reject(new Error('no')) };
  (await new Openings(browser.storage, refusing as unknown as LockManager).begin('owner/name')).end();
  vi.restoreAllMocks();
});

const mark = (change: Partial<OpeningMark>): EndedOpening => ({
  key: 'k',
  source: 'owner/name',
  stage: 'loading',
  left: false,
  times: 1,
  since: 0,
  ...change,
});

test.each([
  ['a crash while a new model was opening', {}, null, true],
  ['a crash while a model that worked before was opening', {}, 'owner/name', true],
  ['a crash of the demo', { source: 'demo' }, null, true],
  ['a crash while the page went on after the first result', { stage: 'more' }, 'owner/name', true],
  ['a tab closed while a new model was opening', { left: true }, null, true],
  ['a reload while the demo was opening', { source: 'demo', left: true }, null, false],
  ['a reload while a model that worked before was opening', { left: true }, 'owner/name', false],
  ['the third reload in a row', { source: 'demo', left: true, times: 3 }, null, true],
  ['a tab closed after the first result', { stage: 'more', left: true, times: 9 }, null, false],
] as const)('%s: asks %o, %s → %s', (_title, change, knownGood, asks) => {
  expect(mustAsk(mark(change), knownGood)).toBe(asks);
});

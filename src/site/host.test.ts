import { expect, test } from 'vitest';
import { type HostBrowser, startHost } from './host';
import type { SiteStatus } from './siteStatus';

type Listener = () => void;

/** Anything with listeners, as far as they are used. */
class Heard {
  readonly #listeners = new Map<string, Listener[]>();
  addEventListener = (type: string, listener: Listener): void =>
    void this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  tell(type: string): void {
    for (const listener of this.#listeners.get(type) ?? []) listener();
  }
}

interface World {
  isolated?: boolean;
  controlled?: boolean;
  address?: string;
  framed?: boolean;
  noted?: boolean;
  refuses?: boolean;
}

/** A browser that registers a service worker which takes over at once, unless it `refuses`. */
function world({ isolated = false, controlled = false, address = 'https://host/x/', ...more }: World = {}) {
  const sent: unknown[] = [];
  const active = { state: 'activated', postMessage: (message: unknown) => void sent.push(message) };
  const registration = Object.assign(new Heard(), { active, waiting: null as unknown, installing: null as unknown });
  const container = Object.assign(new Heard(), {
    controller: controlled ? active : null,
    registered: [] as string[],
    register: async (url: string) => {
      if (more.refuses) throw new Error('not here');
      container.registered.push(url);
      return registration;
    },
  });
  const status: SiteStatus = { shortfall: null, newBuild: null };
  const state = { reloads: 0, noted: more.noted ?? false, status };
  const browser: HostBrowser = {
    isolated,
    secure: new URL(address).protocol === 'https:' || new URL(address).hostname === 'localhost',
    framed: more.framed ?? false,
    address: new URL(address),
    workers: container as unknown as HostBrowser['workers'],
    reloads: {
      noted: () => state.noted,
      note: () => {
        state.noted = true;
      },
      forget: () => {
        state.noted = false;
      },
    },
    reload: () => {
      state.reloads += 1;
    },
    wait: () => new Promise((resolve) => setTimeout(resolve, 20)),
  };
  const start = async (mayReload = true): Promise<'begins' | 'waits'> => {
    const begun = startHost(browser, { mayReload }, (found) => Object.assign(status, found)).then(
      () => 'begins' as const,
    );
    const outcome = await Promise.race([begun, new Promise<'waits'>((done) => setTimeout(() => done('waits'), 60))]);
    await new Promise((done) => setTimeout(done, 0));
    return outcome;
  };
  return { browser, start, state, sent, container, registration };
}

test('a first visit to a host without headers loads the page once more, and never a second time', async () => {
  const first = world();
  expect(await first.start()).toBe('waits');
  expect(first.state).toMatchObject({ reloads: 1, noted: true });
  expect(first.container.registered).toEqual(['/x/sw.js']);
  const again = world({ noted: true });
  expect(await again.start()).toBe('begins');
  expect(again.state).toMatchObject({ reloads: 0, status: { shortfall: 'next-load' } });
});

test('once isolated, the page begins at once and fetches what visits without a network need', async () => {
  const { start, state, sent } = world({ isolated: true, controlled: true, noted: true });
  expect(await start()).toBe('begins');
  await expect.poll(() => sent).toEqual([{ secateur: 'fill' }]);
  expect(state).toEqual({ reloads: 0, noted: false, status: { shortfall: null, newBuild: null } });
});

test.each<[string, World, boolean, SiteStatus['shortfall']]>([
  ['a worker answers, and the page is not isolated', { controlled: true }, true, 'refused'],
  ['the browser allows no worker', { refuses: true }, true, 'no-worker'],
  ['another site shows the page', { framed: true }, true, 'framed'],
  ['the page is not secure', { address: 'http://school.example/' }, true, 'insecure'],
  ['the page shows a report', {}, false, 'next-load'],
  ['the address switches the worker off', { address: 'https://host/x/?sw=off' }, true, 'no-worker'],
])('without a reload the page says what it lacks: %s', async (_, given, mayReload, shortfall) => {
  const { start, state } = world(given);
  expect(await start(mayReload)).toBe('begins');
  await expect.poll(() => state.status.shortfall).toBe(shortfall);
  expect(state.reloads).toBe(0);
});

test('a server on this machine that sends the headers gets no worker; one on the web does, for visits without a network', async () => {
  const here = world({ isolated: true, address: 'http://localhost/' });
  expect(await here.start()).toBe('begins');
  expect(here.container.registered).toEqual([]);
  const web = world({ isolated: true });
  expect(await web.start()).toBe('begins');
  expect(web.container.registered).toEqual(['/x/sw.js']);
});

test('a newer build is offered, and replaces this one on a click', async () => {
  const { start, state, container, registration } = world({ isolated: true, controlled: true });
  await start();
  const asked: unknown[] = [];
  registration.installing = Object.assign(new Heard(), { postMessage: (message: unknown) => void asked.push(message) });
  registration.tell('updatefound');
  const { installing } = registration;
  registration.waiting = installing;
  (installing as Heard).tell('statechange');
  expect(state.status.newBuild).not.toBeNull();
  container.tell('controllerchange');
  expect(state.reloads).toBe(0); // another tab asked for it: this one goes on until its user says so
  state.status.newBuild?.use();
  expect(asked).toEqual([{ secateur: 'activate' }]);
  container.tell('controllerchange');
  expect(state.reloads).toBe(1);
});

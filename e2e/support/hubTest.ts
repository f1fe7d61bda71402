/** @file The test function of specs that need a Hub: a stand-in per worker, empty at the start of each test. */
import { FakeHub } from './fakeHub';
import { test as base } from './test';

export const test = base.extend<{ hub: FakeHub }, { hubServer: FakeHub }>({
  hubServer: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameter's pattern
    async ({}, use) => {
      const server = await FakeHub.start();
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
  hub: async ({ hubServer }, use) => {
    hubServer.reset();
    await use(hubServer);
  },
});

/** @file The laboratory after the worst that can happen to its worker: the device vanishes, memory runs out, a call hangs. */
import type { Page, Worker } from '@playwright/test';
import { fixture } from './support/checkpoint';
import { blocks, freshPerplexity, now } from './support/parts';
import { expect, expectAllClose, expectClose, longTier, openLink, test } from './support/test';

const tolerance = 1e-3;

/** The laboratory's worker: ONNX Runtime's threads are workers too. */
const laboratory = (page: Page): Worker => {
  const found = page.workers().find((worker) => /\/worker-[^/]*\.js$/.test(new URL(worker.url()).pathname));
  if (!found) throw new Error(`No laboratory among ${page.workers().map((worker) => worker.url())}.`);
  return found;
};

/** The device of the worker is destroyed at its `count`-th launch from now on. */
const loseDevice = (worker: Worker, count: number): Promise<void> =>
  worker.evaluate((launch) => {
    const original = GPUDevice.prototype.createBindGroup;
    let launches = 0;
    GPUDevice.prototype.createBindGroup = function (descriptor) {
      launches += 1;
      const group = original.call(this, descriptor);
      if (launches === launch) {
        GPUDevice.prototype.createBindGroup = original;
        this.destroy();
      }
      return group;
    };
  }, count);

test('after the device was lost everything works on a new one, ONNX Runtime on WebGPU too', async ({
  sharedPage: page,
  folders,
}) => {
  const { folder, golden } = fixture('tiny-a');
  const url = folders.put('tiny-a', folder);
  const tokenIds = golden.calibration_token_ids;
  await page.evaluate((source) => window.lab.load(source), url);
  await page.evaluate((ids) => window.lab.calibrate({ tokenIds: ids }), tokenIds);
  const perplexity = (runtime: 'wgsl' | 'ort-webgpu' | 'ort-wasm') =>
    page.evaluate(
      async ([where, ids]) => (await window.lab.perplexity('base', { tokenIds: ids, runtime: where })).perplexity,
      [runtime, tokenIds] as const,
    );
  expectClose(await perplexity('ort-webgpu'), golden.base_ppl, tolerance, 'ort-webgpu before');
  for (const launch of longTier ? [1, 7] : [7]) {
    await loseDevice(laboratory(page), launch);
    const failure = await page.evaluate(() => window.failure(window.lab.importance('ppl')));
    expect(failure.code).toBe('device-lost');
    expect(failure.remedy).toContain('again');
    const { scores } = await page.evaluate(() => window.lab.importance('ppl'));
    expectAllClose(scores, golden.ppl, tolerance, 'ppl after the loss');
    for (const runtime of ['wgsl', 'ort-wasm', 'ort-webgpu'] as const) {
      expectClose(await perplexity(runtime), golden.base_ppl, tolerance, `${runtime} after the loss`);
    }
  }
});

test('memory that runs out is a typed error, and the next call works', async ({ sharedPage: page, folders }) => {
  const { folder, golden } = fixture('tiny-a');
  const url = folders.put('tiny-a', folder);
  await page.evaluate((source) => window.lab.load(source), url);
  await page.evaluate((tokenIds) => window.lab.calibrate({ tokenIds }), golden.calibration_token_ids);
  await page.evaluate(() => window.lab.importance('magnitude'));
  /** The next `times` allocations find no room. */
  const fill = (times: number) =>
    laboratory(page).evaluate((most) => {
      const { popErrorScope } = GPUDevice.prototype;
      let left = most;
      GPUDevice.prototype.popErrorScope = async function () {
        left -= 1;
        if (left === 0) GPUDevice.prototype.popErrorScope = popErrorScope;
        await popErrorScope.call(this);
        return new GPUOutOfMemoryError('no room');
      };
    }, times);
  // Once: of the four blocks two give way, and the pass is made again.
  await fill(1);
  const streamed = await page.evaluate(() => window.lab.importance('ppl'));
  expectAllClose(streamed.scores, golden.ppl, tolerance, 'ppl while blocks stream');
  expect(await page.evaluate(() => window.lab.memory())).toMatchObject({ blocks: 4, slots: 2 });
  // Again: there is nothing left to give.
  await fill(1);
  const failure = await page.evaluate(() => window.failure(window.lab.importance('ppl')));
  expect(failure).toMatchObject({ code: 'out-of-memory' });
  expect(failure.remedy.length).toBeGreaterThan(10);
  const { scores } = await page.evaluate(() => window.lab.importance('ppl'));
  expectAllClose(scores, golden.ppl, tolerance, 'ppl after memory ran out');
});

test('lab.restart brings model, calibration, scores and variants back under their ids', async ({
  sharedPage: page,
  folders,
}) => {
  const { folder, golden } = fixture('tiny-a');
  const url = folders.put('tiny-a', folder);
  const before = await page.evaluate(
    async ([source, tokenIds]) => {
      const { lab } = window;
      await lab.load(source);
      await lab.calibrate({ tokenIds });
      await lab.importance('ppl');
      const first = await lab.variant(await lab.plan({ blocks: [1] }), { name: 'first' });
      const second = await lab.variant(await lab.plan({ blocks: [2] }), { name: 'second' });
      await lab.discard(first.id);
      await lab.perplexity(second.id, { tokenIds });
      return { second, report: await lab.report() };
    },
    [url, golden.calibration_token_ids] as const,
  );
  folders.reset(); // the bytes come from IndexedDB
  await laboratory(page).evaluate(
    () =>
      void setTimeout(() => {
        for (;;);
      }),
  );
  const { failure, report, third } = await page.evaluate(async () => {
    const { lab } = window;
    const hanging = window.failure(lab.importance('ppl'));
    await lab.restart();
    return {
      failure: await hanging,
      report: await lab.report(),
      third: await lab.variant(await lab.plan({ blocks: [3] })),
    };
  });
  expect(failure.code).toBe('worker');
  expect(report.comparison).toEqual(before.report.comparison);
  expect(report.scores).toEqual(before.report.scores);
  expect(report.calibration).toEqual(before.report.calibration);
  expect(third.id).not.toBe(before.second.id);
  // The report of before brings back the variant that was discarded since, with its numbers.
  const rows = await page.evaluate(
    async ([second, report]) => {
      await window.lab.discard(second.id);
      return window.lab.restoreComparison(report);
    },
    [before.second, before.report] as const,
  );
  expect(rows.find(({ variant }) => variant === before.second.id)).toEqual(before.report.comparison[1]);
  const { scores } = await page.evaluate(() => window.lab.importance('ppl'));
  expectAllClose(scores, golden.ppl, tolerance, 'ppl in the new worker');
});

test('a session that never answers is noticed, and the next call works in a new worker', async ({
  sharedPage: page,
  folders,
}) => {
  const { folder, golden } = fixture('tiny-a');
  const url = folders.put('tiny-a', folder);
  await page.evaluate((source) => window.lab.load(source), url);
  const variant = await page.evaluate(async () => window.lab.variant(await window.lab.plan({ blocks: [1] })));
  const tokenIds = golden.calibration_token_ids;
  const perplexity = (ids: number[][]) => window.lab.perplexity('base', { tokenIds: ids, runtime: 'ort-wasm' });
  await page.evaluate(perplexity, tokenIds); // what is read of the weights outside ONNX Runtime has been read then
  await laboratory(page).evaluate(() => {
    Blob.prototype.arrayBuffer = () => new Promise(() => undefined); // as a read whose stream was collected
    const wait = globalThis.setTimeout;
    const sooner = (job: () => void, ms?: number) => wait(job, ms === 1000 ? 5 : ms); // the watchdog's beats
    Object.assign(globalThis, { setTimeout: sooner });
  });
  const failure = await page.evaluate(
    ([id, ids]) => window.failure(window.lab.perplexity(id, { tokenIds: ids, runtime: 'ort-wasm' })),
    [variant.id, tokenIds] as const,
  );
  expect(failure).toMatchObject({ code: 'no-answer' });
  expect(failure.message).toContain('Creating the session');
  expect(failure.remedy).toContain('finished numbers are kept');
  const { perplexity: found } = await page.evaluate(perplexity, tokenIds);
  expectClose(found, golden.base_ppl, tolerance, 'ort-wasm in the new worker');
  expect((await page.evaluate(() => window.lab.variants())).map(({ id }) => id)).toEqual(['base', variant.id]);
});

test('a worker that does not answer is ended after a question that names what is lost, and the page goes on where it was', async ({
  page,
  folders,
}) => {
  test.skip(!longTier, 'for its time in `npm run test:long` only');
  const url = folders.put('tiny-c', fixture('tiny-c').folder);
  await openLink(page, url);
  await expect(blocks(page)).not.toHaveCount(0, { timeout: 60_000 });
  await expect(freshPerplexity(page)).toHaveText(/\d/, { timeout: 120_000 });
  const perplexity = await freshPerplexity(page).textContent();
  await laboratory(page).evaluate(
    () =>
      void setTimeout(() => {
        for (;;);
      }),
  );
  await page.evaluate(() => void window.lab.variants().catch(() => undefined)); // of a script, beside the page's own
  await blocks(page).nth(2).click();
  await now(page).getByRole('button', { name: 'Cancel measuring' }).click();
  const question = page.getByRole('alert', { name: 'Measuring the live perplexity does not stop' });
  await expect(question).toContainText('lab.variants');
  await expect(now(page).getByRole('button', { name: 'Cancel measuring' })).toHaveCount(1); // nothing has ended
  await question.getByRole('button', { name: 'Restart' }).click();
  await expect(now(page).getByRole('button', { name: 'Cancel measuring' })).toHaveCount(0, { timeout: 20_000 });
  await expect(page.getByRole('status', { name: 'The laboratory was restarted' })).toBeVisible();
  await blocks(page).nth(2).click(); // the base again: known
  await expect(freshPerplexity(page)).toHaveText(perplexity ?? '');
  await blocks(page).nth(3).click(); // unknown: the new worker measures it
  await expect(freshPerplexity(page)).not.toHaveText(perplexity ?? '', { timeout: 60_000 });
});

/** @file `lab.tune`, `lab.tuning` and `lab.profile` on a real device, with a session that comes after another. */
import { expect, test } from 'vitest';
import type { Progress } from '../../task';
import type { EngineSettings } from '../contract/settings';
import { goldenOf, inNode, sessionWith } from './testing/nodeSession';

const { calibration_token_ids: tokenIds, base_ppl: expected } = goldenOf<{
  calibration_token_ids: number[][];
  base_ppl: number;
}>('tiny-a');

inNode({ ort: false });

const openSession = (settings: EngineSettings = {}) => sessionWith('tiny-a', { tokenIds, settings });

test('what one session measured is there for the next, and changes no number', async () => {
  const first = await openSession();
  expect(await first.tuning({})).toMatchObject({ classes: [], running: false, forced: null, note: null });
  const reports: Progress[] = [];
  const tuned = await first.tune({ onProgress: (progress) => reports.push(progress) }, { budgetMs: 1 });
  expect(tuned.classes).toHaveLength(1);
  expect(tuned.left).toBeGreaterThan(1);
  expect(reports[0]).toMatchObject({ stage: 'tune', done: 0, unit: 'shapes' });

  const second = await openSession();
  expect((await second.tuning({}))?.classes).toEqual(tuned.classes);
  const { perplexity, device } = await second.perplexity({}, 'base', { tokenIds });
  expect(perplexity / expected).toBeCloseTo(1, 4);
  expect(device.runtime).toBe('WGSL engine');
});

test('a profile names its device, and what it cannot do', async () => {
  const session = await openSession({ kernel: 'workgroup' });
  const { kernels, device, pass, tokens } = await session.profile({}, { samples: 1 });
  expect([pass, tokens, device.runtime]).toEqual(['forward', tokenIds[0]!.length, 'WGSL engine']);
  expect(kernels.map(({ kernel }) => kernel)).toContain('linear F32 workgroup');
  expect((await session.tuning({}))?.forced).toBe('workgroup');
  const wrong = session.profile({}, { pass: 'sideways' as 'forward' });
  await expect(wrong).rejects.toMatchObject({ code: 'bad-argument' });
});

test("the address's kernel is checked against the adapter", async () => {
  const session = await openSession({ kernel: 'fastest' });
  await expect(session.tuning({})).rejects.toMatchObject({
    code: 'bad-argument',
    message: expect.stringContaining("got 'fastest'"),
  });
});

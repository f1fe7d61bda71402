/** @file `lab.tune`, `lab.tuning` and `lab.profile` on a real device, with a session that comes after another. */
import 'fake-indexeddb/auto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { testGpu } from '../../engine/testing/harness';
import type { Progress } from '../../task';
import type { EngineSettings } from '../contract/settings';
import { Session } from './session';

vi.mock('./demoVersion', () => ({ demoVersion: 'test' })); // a constant of the build

const folder = 'tools/golden/fixtures/tiny-a';
const { calibration_token_ids: tokenIds, base_ppl: expected } = JSON.parse(
  readFileSync(`${folder}/golden.json`, 'utf8'),
) as { calibration_token_ids: number[][]; base_ppl: number };

beforeAll(async () => {
  vi.stubGlobal('navigator', { gpu: await testGpu() });
  vi.stubGlobal('self', { location: { href: 'http://localhost/' } });
});
afterAll(() => vi.unstubAllGlobals());

async function openSession(settings: EngineSettings = {}): Promise<Session> {
  const session = new Session(async () => undefined);
  await session.configure({}, settings);
  const names = readdirSync(folder).filter((name) => !['golden.json', 'cuts.json'].includes(name));
  const files = names.map((name) => new File([readFileSync(`${folder}/${name}`)], name));
  await session.load({}, files, {});
  await session.calibrate({}, { tokenIds });
  return session;
}

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

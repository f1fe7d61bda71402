/** @file A variant with weights of its own, in a browser: WGSL engine and ONNX Runtime agree on it, also after `lab.restart()` and a reload. */
import type { Page } from '@playwright/test';
import { fixture } from '../support/checkpoint';
import { expect, expectClose, openLab, test } from '../support/test';

const runtimes = ['wgsl', 'ort-wasm', 'ort-webgpu'] as const;
type Runtime = (typeof runtimes)[number];
type Numbers = Record<string, Record<string, number>>;

/** Makes a variant without block 1, and the same with another last norm and a bias of oProj in block 2. */
function makeVariants(page: Page): Promise<{ twin: string; patched: string }> {
  return page.evaluate(async () => {
    const { lab } = window;
    const size = (await lab.variants())[0]!.shape.hidden;
    const entry = (at: number) => ({ dtype: 'F32', shape: [size], data_offsets: [at, at + 4 * size] });
    const entries = { 'model.norm.weight': entry(0), 'model.layers.2.self_attn.o_proj.bias': entry(4 * size) };
    const header = new TextEncoder().encode(JSON.stringify(entries).padEnd(256));
    const length = new DataView(new ArrayBuffer(8));
    length.setBigUint64(0, BigInt(header.length), true);
    const values = Float32Array.from({ length: 2 * size }, (_, index) => (index % 5) / 4);
    const plan = await lab.plan({ blocks: [1] });
    const patch = new Blob([length, header, values]);
    return { twin: (await lab.variant(plan)).id, patched: (await lab.variant(plan, { patch })).id };
  });
}

/** Mean losses by variant and runtime, each variant in turn. */
function measure(page: Page, ids: string[], tokenIds: number[][], on: readonly Runtime[]): Promise<Numbers> {
  return page.evaluate(
    async ([variants, tokens, names]) => {
      const found: Record<string, Record<string, number>> = {};
      for (const runtime of names) {
        for (const id of variants) {
          const { meanNll } = await window.lab.perplexity(id, { tokenIds: tokens, runtime });
          found[id] = { ...found[id], [runtime]: meanNll };
        }
      }
      return found;
    },
    [ids, tokenIds, on] as const,
  );
}

test('a patched variant, its twin and the base have numbers of their own on every runtime', async ({
  page,
  folders,
}) => {
  const { folder, golden } = fixture('tiny-a');
  const url = folders.put('tiny-a', folder);
  const tokenIds = golden.calibration_token_ids.slice(0, 4);
  await openLab(page);
  await page.evaluate((source) => window.lab.load(source), url);
  const { twin, patched } = await makeVariants(page);
  const ids = ['base', patched, twin];
  const found = await measure(page, ids, tokenIds, runtimes);
  for (const id of ids) {
    for (const runtime of runtimes) expectClose(found[id]![runtime]!, found[id]!['wgsl']!, 1e-4, `${id} on ${runtime}`);
  }
  const wgsl = (of: Numbers, id: string) => of[id]!['wgsl']!;
  expect(Math.abs(wgsl(found, patched) - wgsl(found, twin))).toBeGreaterThan(0.01);

  // Behind this answer the page has the record of the last number, too.
  await page.evaluate(() => window.lab.comparison());
  await page.evaluate(() => window.lab.restart());
  const rows = await page.evaluate(() => window.lab.comparison());
  for (const { variant, perplexity } of rows) {
    for (const runtime of runtimes) expect(perplexity[runtime]?.meanNll).toBe(found[variant]![runtime]);
  }
  expect(rows.map(({ variant, patchBytes }) => [variant, patchBytes > 0])).toEqual([
    ['base', false],
    [twin, false],
    [patched, true],
  ]);
  expectClose(
    wgsl(await measure(page, [patched], tokenIds, ['wgsl']), patched),
    wgsl(found, patched),
    1e-6,
    'restarted',
  );

  await openLab(page);
  await page.evaluate((source) => window.lab.load(source), url);
  const [info] = (await page.evaluate(() => window.lab.variants())).filter(({ patchBytes }) => patchBytes > 0);
  expect(info).toMatchObject({ id: patched, parent: 'base', recipe: [{ kind: 'prune' }, { kind: 'patch' }] });
  const again = await measure(page, [patched], tokenIds, ['wgsl', 'ort-wasm']);
  expectClose(wgsl(again, patched), wgsl(found, patched), 1e-6, 'reloaded');
  expectClose(again[patched]!['ort-wasm']!, found[patched]!['ort-wasm']!, 1e-6, 'reloaded, ONNX Runtime');
  await page.evaluate((id) => window.lab.discard(id), patched);
  expect((await page.evaluate(() => window.lab.stored()))[0]?.patchBytes).toBe(0);
});

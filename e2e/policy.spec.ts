/** @file The page under its own security policy: everything runs, nothing is violated, what should be stopped is. */
import { readFileSync, writeFileSync } from 'node:fs';
import { locate, serve } from '../tools/serve.mjs';
import { fixture } from './support/checkpoint';
import { blocks, freshPerplexity } from './support/parts';
import { expect, longTier, openLab, openPage, test } from './support/test';
import { violations } from './support/violations';

test('the page itself carries the policy, so that it holds wherever the page is served', async ({ page, request }) => {
  const html = await (await request.get('./')).text();
  const meta =
    /<meta http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1]?.replaceAll('&#39;', "'") ?? '';
  const { headers } = await request.get('./').then((response) => ({ headers: response.headers() }));
  expect(headers['content-security-policy']).toBe(`${meta}; frame-ancestors 'none'`);
  expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<script'));
  expect(html).not.toMatch(/<script>|<script(?![^>]*\bsrc=)[^>]*>|\son\w+=/);
  const said = await violations(page);
  await openLab(page);
  // What the policy is for: none of these may happen.
  const tried = await page.evaluate(async () => {
    const outcome = (work: () => unknown) => {
      try {
        work();
        return 'done';
      } catch (thrown) {
        return (thrown as Error).name;
      }
    };
    const element = document.createElement('div');
    const worker = outcome(() => new Worker(URL.createObjectURL(new Blob(['1']))));
    const markup = outcome(() => {
      element.innerHTML = '<img src=x onerror="window.ran = true">';
    });
    const script = outcome(() => {
      const made = document.createElement('script');
      made.text = 'window.ran = true';
      document.body.append(made);
    });
    const plain = await fetch('http://192.0.2.1/').then(
      () => 'done',
      (thrown: Error) => thrown.name,
    );
    return { worker, markup, script, plain, ran: 'ran' in window };
  });
  expect(tried).toEqual({
    worker: 'TypeError',
    markup: 'TypeError',
    script: 'TypeError',
    plain: 'TypeError',
    ran: false,
  });
  expect(said.join('\n')).toContain('connect-src');
});

// The page that lab.spec.ts shares runs the first build under the policy in every run.
for (const build of longTier ? (['jspi', 'asyncify'] as const) : []) {
  test(`ONNX Runtime (${build}) runs on wasm and on WebGPU without one violation`, async ({ page, folders }) => {
    const said = await violations(page);
    const { folder, golden } = fixture('tiny-a');
    const url = folders.put('tiny-a', folder);
    const fetched: string[] = [];
    page.context().on('request', (request) => fetched.push(request.url()));
    const site = build === 'asyncify' ? await withoutSuspending(test.info().outputPath('worker.js')) : null;
    await openLab(page, '', site?.url);
    const perplexities = await page.evaluate(
      async ([source, tokenIds]) => {
        const { lab } = window;
        await lab.load(source);
        const found: number[] = [];
        for (const runtime of ['wgsl', 'ort-wasm', 'ort-webgpu'] as const) {
          found.push((await lab.perplexity('base', { tokenIds, runtime })).perplexity);
          if (runtime !== 'wgsl')
            await lab.latency('base', { runtime, newTokens: 2, runs: 1, warmups: 0, promptTokens: 4 });
        }
        return found;
      },
      [url, golden.calibration_token_ids] as const,
    );
    for (const perplexity of perplexities) expect(perplexity).toBeCloseTo(golden.base_ppl, 1);
    expect(fetched.some((address) => address.includes(`.${build}`))).toBe(true);
    expect(said).toEqual([]);
    await site?.close();
  });
}

/** The page as a browser sees it whose WebAssembly cannot suspend: the same server, with one more line in the worker. */
function withoutSuspending(worker: string): ReturnType<typeof serve> {
  return serve({
    port: 0,
    find(url) {
      const file = locate('dist', url);
      if (file === null || !/\/worker-[^/]*\.js$/.test(file)) return file;
      writeFileSync(worker, `delete WebAssembly.Suspending;\n${readFileSync(file, 'utf8')}`);
      return worker;
    },
  });
}

if (longTier) {
  test('the page a newcomer sees, its charts and its styles are within the policy', async ({ page, problems }) => {
    const said = await violations(page);
    await openPage(page);
    await expect(blocks(page)).not.toHaveCount(0, { timeout: 60_000 });
    await expect(freshPerplexity(page)).toHaveText(/\d/, { timeout: 120_000 });
    await expect(page.locator('.recharts-surface').first()).toBeVisible({ timeout: 60_000 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.locator('.recharts-surface').first().hover();
    expect(said).toEqual([]);
    expect(problems).toEqual([]);
  });
}

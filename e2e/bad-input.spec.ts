/** @file What comes from outside and is wrong: each has an error that says where, what was expected, and what to do. */
import { chromium, type Page } from '@playwright/test';
import { chromiumFlags, findChromium } from '../tools/chromium.mjs';
import { checkpoint, fixture, letters, pieces, safetensors } from './support/checkpoint';
import type { Folder } from './support/folderServer';
import { shot } from './support/parts';
import { expect, type Failure, loadFiles, openLab, openPage, test } from './support/test';

const weights = 'model.safetensors';
const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** A checkpoint whose one file is spoilt. */
function spoilt(file: string, bytes: Uint8Array | null): Folder {
  const folder = checkpoint();
  if (bytes === null) folder.delete(file);
  else folder.set(file, bytes);
  return folder;
}

/** The weights with a spoilt header. */
function spoiltHeader(edit: (header: Record<string, Entry>) => void): Folder {
  return spoilt(weights, safetensors(pieces(), edit as (header: Record<string, unknown>) => void));
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const norm = 'model.norm.weight';
const whole = checkpoint().get(weights)!;

/** The weights' file with another number where the header's length stands. */
function withLength(length: bigint): Uint8Array {
  const bytes = whole.slice();
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  return bytes;
}

interface Case {
  title: string;
  folder: () => Folder;
  code: Failure['code'];
  says: RegExp;
}

const cases: Case[] = [
  { title: 'no config.json', folder: () => spoilt('config.json', null), code: 'missing-file', says: /config\.json/ },
  { title: 'no weights', folder: () => spoilt(weights, null), code: 'missing-file', says: /safetensors/ },
  {
    title: 'config.json is not JSON',
    folder: () => spoilt('config.json', new TextEncoder().encode('{"model_type": ')),
    code: 'bad-config',
    says: /config\.json/,
  },
  {
    title: 'config.json without a size',
    folder: () => checkpoint({ config: { hidden_size: undefined } }),
    code: 'bad-config',
    says: /hidden_size/,
  },
  {
    title: 'heads that key-value heads do not divide',
    folder: () => checkpoint({ config: { num_attention_heads: 3, num_key_value_heads: 2 } }),
    code: 'bad-config',
    says: /num_key_value_heads|kvHeads/,
  },
  {
    title: 'another architecture',
    folder: () => checkpoint({ config: { model_type: 'mamba', architectures: ['MambaForCausalLM'] } }),
    code: 'unsupported-architecture',
    says: /mamba/i,
  },
  {
    title: 'a rotary embedding that depends on the length of the text',
    folder: () => checkpoint({ config: { rope_scaling: { rope_type: 'longrope', factor: 8 } } }),
    code: 'unsupported-architecture',
    says: /longrope/,
  },
  {
    title: 'truncated weights',
    folder: () => spoilt(weights, whole.slice(0, -100)),
    code: 'bad-safetensors',
    says: /bytes/,
  },
  {
    title: 'weights with bytes left over',
    folder: () => spoilt(weights, Uint8Array.from([...whole, ...Array(16).fill(0)])),
    code: 'bad-safetensors',
    says: /bytes/,
  },
  {
    title: 'an empty weights file',
    folder: () => spoilt(weights, new Uint8Array(0)),
    code: 'bad-safetensors',
    says: /bytes/,
  },
  {
    title: 'a header longer than the file',
    folder: () => spoilt(weights, withLength(BigInt(whole.length * 2))),
    code: 'bad-safetensors',
    says: /header|expected \d+ bytes/,
  },
  {
    title: 'a header of absurd length',
    folder: () => spoilt(weights, withLength(2n ** 63n)),
    code: 'bad-safetensors',
    says: /header/i,
  },
  {
    title: 'overlapping ranges',
    folder: () =>
      spoiltHeader((header) => {
        const { data_offsets: range } = header[norm]!;
        header[norm]!.data_offsets = [range[0] - 4, range[1] - 4];
      }),
    code: 'bad-safetensors',
    says: /model\.norm\.weight/,
  },
  {
    title: 'a hole between ranges',
    folder: () => spoiltHeader((header) => void delete header['model.layers.1.mlp.up_proj.weight']),
    code: 'bad-safetensors',
    says: /model\.layers\.1\.mlp\.down_proj\.weight|gap|hole|expected/i,
  },
  {
    title: 'dimensions that do not fill their range',
    folder: () =>
      spoiltHeader((header) => {
        header[norm]!.shape = [31];
      }),
    code: 'bad-safetensors',
    says: /model\.norm\.weight/,
  },
  {
    title: 'an unknown element type',
    folder: () =>
      spoiltHeader((header) => {
        header[norm]!.dtype = 'Q3_K';
      }),
    code: 'bad-safetensors',
    says: /Q3_K/,
  },
  {
    title: 'a tensor missing',
    folder: () => spoilt(weights, safetensors(pieces().filter(({ name }) => !name.includes('2.self_attn.k_proj')))),
    code: 'bad-weights',
    says: /kProj|k_proj/,
  },
  {
    title: 'tensors of another size than config.json says',
    folder: () => checkpoint({ config: { intermediate_size: 64 } }),
    code: 'bad-weights',
    says: /\[64, 32\].*\[48, 32\]/,
  },
  {
    title: 'a shard that the index names and nobody has',
    folder: () => {
      const folder = checkpoint({ shards: 3 });
      folder.delete('model-00002-of-00003.safetensors');
      return folder;
    },
    code: 'missing-file',
    says: /model-00002-of-00003\.safetensors/,
  },
  {
    title: 'an index that points out of the folder',
    folder: () => {
      const folder = spoilt(weights, null);
      return folder.set('model.safetensors.index.json', text({ weight_map: { [norm]: '../secret.safetensors' } }));
    },
    code: 'bad-weights',
    says: /\.\.\/secret/,
  },
  {
    title: 'a tokenizer with more entries than the vocabulary',
    folder: () => spoilt('tokenizer.json', letters(80)),
    code: 'bad-tokenizer',
    says: /79|80/,
  },
  {
    title: 'a tokenizer.json that is none',
    folder: () => spoilt('tokenizer.json', text({ model: 'words' })),
    code: 'bad-tokenizer',
    says: /tokenizer\.json/,
  },
];

/** The failure of loading a folder by address. */
const loadFailure = (page: Page, url: string): Promise<Failure> =>
  page.evaluate((source) => window.failure(window.lab.load(source)), url);

function expectFailure({ code, message, remedy }: Failure, expected: Pick<Case, 'code' | 'says'>): void {
  expect(`${code}: ${message}`).toMatch(new RegExp(`^${expected.code}: `));
  expect(message).toMatch(expected.says);
  expect(remedy.length).toBeGreaterThan(10);
}

/** The same folder by address and as File[]; the good model is still open afterwards, and is all that is stored. */
async function expectRefused(page: Page, good: string, url: string, { folder, ...expected }: Case): Promise<void> {
  expectFailure(await loadFailure(page, url), expected);
  const byFiles = await loadFiles(page, folder()).then(
    () => null,
    (error: Error) => error.message,
  );
  expect(byFiles, 'the same folder as File[]').toMatch(expected.says);
  expect((await page.evaluate(() => window.lab.stored())).map((model) => model.id)).toEqual([good]);
  expect((await page.evaluate(() => window.lab.report())).model.id).toBe(good);
}

// One page for all of them: opening it takes longer than a case.
test('by address and by files, with the good model still open afterwards', async ({ page, folders }) => {
  test.setTimeout(300_000);
  const source = folders.put('good', fixture('tiny-a').folder);
  await openLab(page);
  const { id } = await page.evaluate((url) => window.lab.load(url), source);
  const wrong: string[] = [];
  for (const [index, each] of cases.entries()) {
    const url = folders.put(`bad-${index}`, each.folder());
    await test.step(each.title, () =>
      expectRefused(page, id, url, each).catch((error: Error) => void wrong.push(`${each.title}: ${error.message}`)),
    );
  }
  expect(wrong).toEqual([]);
});

test.describe('the network:', () => {
  test('a host that refuses', async ({ sharedPage: page, folders }) => {
    const url = folders.put('refusing', checkpoint());
    folders.fault('refusing/model.safetensors', { kind: 'status', status: 451 });
    expectFailure(await loadFailure(page, url), { code: 'network', says: /451/ });
  });

  test('a connection that breaks twice: the rest is asked for until the file is whole', async ({
    sharedPage: page,
    folders,
  }) => {
    const url = folders.put('breaking', checkpoint());
    folders.fault('breaking/model.safetensors', { kind: 'cut', bytes: 20_000, times: 2 });
    const info = await page.evaluate((source) => window.lab.load(source), url);
    expect(info.shape.layers.length).toBe(3);
    expect(info.downloadedBytes).toBe(info.storedBytes);
  });

  test('a file that ends early', async ({ sharedPage: page, folders }) => {
    const url = folders.put('short', checkpoint());
    folders.fault('short/model.safetensors', { kind: 'shorten', bytes: whole.length - 64 });
    expectFailure(await loadFailure(page, url), { code: 'bad-safetensors', says: /bytes/ });
  });

  test('a host that is not there', async ({ sharedPage: page }) => {
    expectFailure(await loadFailure(page, 'http://127.0.0.1:9/model/'), { code: 'network', says: /127\.0\.0\.1:9/ });
  });

  test('a load that is cancelled stops at once and leaves nothing behind', async ({ sharedPage: page, folders }) => {
    const url = folders.put('slow', checkpoint({ hidden: 96, layers: 6 }));
    folders.fault('slow/model.safetensors', { kind: 'slow', bytesPerSecond: 50_000 });
    const failure = await page.evaluate((source) => {
      const controller = new AbortController();
      const onProgress = ({ done }: { done: number }) => {
        if (done >= 10_000) controller.abort();
      };
      return window.failure(window.lab.load(source, { signal: controller.signal, onProgress }));
    }, url);
    expect(failure.code).toBe('aborted');
    await expect.poll(() => folders.dropped).toEqual(['slow/model.safetensors']);
    expect((await page.evaluate(() => window.lab.stored())).map(({ id }) => id)).not.toContain(`folder:${url}`);
  });
});

test('a full disk says how much is needed, and what was stored stays', async ({ page, folders, context }) => {
  const small = folders.put('small', checkpoint());
  const large = folders.put('large', checkpoint({ hidden: 512, ffn: 2048, layers: 4, heads: 8 }));
  await openLab(page);
  // Before anything is stored: Chromium remembers for a while how much room there was.
  const devtools = await context.newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(page.url()).origin, quotaSize: 8_000_000 });
  const { id } = await page.evaluate((source) => window.lab.load(source), small);
  const full = await loadFailure(page, large);
  expectFailure(full, { code: 'quota', says: /needed 5\d\.\d MiB/ });
  expect(full.remedy).toMatch(/^Forget http.*\/small\/ \(\d/);
  expect((await page.evaluate(() => window.lab.stored())).map((model) => model.id)).toEqual([id]);
  const other = folders.put('other', checkpoint({ seed: 2 }));
  expect((await page.evaluate((source) => window.lab.load(source), other)).id).not.toBe(id);
});

test('sources that cannot be a model', async ({ sharedPage: page }) => {
  for (const source of ['', 'file:///etc/passwd', 'javascript:alert(1)', 'data:text/plain,x', '../a/b']) {
    const { code } = await loadFailure(page, source);
    expect([source, code]).toEqual([source, 'bad-source']);
  }
  const none = await page.evaluate(() => window.failure(window.lab.load([])));
  expect(['bad-source', 'missing-file']).toContain(none.code);
});

test('without WebGPU the page still works, and the benchmark runs on wasm', async ({ baseURL, folders }) => {
  const { folder, golden } = fixture('tiny-a');
  const url = folders.put('tiny-a', folder);
  const browser = await chromium.launch({ executablePath: findChromium()!, args: chromiumFlags({ webgpu: false }) });
  try {
    const page = await browser.newPage({ baseURL: baseURL! });
    await openLab(page);
    const found = await page.evaluate(
      async ([source, tokenIds]) => {
        const { lab, failure } = window;
        const device = await lab.device();
        await lab.load(source);
        await lab.calibrate({ tokenIds });
        return {
          device,
          magnitude: (await lab.importance('magnitude')).scores,
          ppl: await failure(lab.importance('ppl')),
          wgsl: await failure(lab.perplexity('base', { tokenIds, runtime: 'wgsl' })),
          wasm: await lab.perplexity('base', { tokenIds, runtime: 'ort-wasm' }),
          latency: await lab.latency('base', {
            promptTokens: 4,
            newTokens: 4,
            runs: 2,
            warmups: 1,
            runtime: 'ort-wasm',
          }),
        };
      },
      [url, golden.calibration_token_ids] as const,
    );
    expect(found.device).toBeNull();
    expect(found.magnitude.length).toBe(4);
    expect([found.ppl.code, found.wgsl.code]).toEqual(['no-webgpu', 'no-webgpu']);
    expect(Math.abs(found.wasm.perplexity / golden.base_ppl - 1)).toBeLessThan(1e-3);
    expect(found.latency[0]!.latencyMs).toBeGreaterThan(0);
    await openPage(page);
    await expect(page.getByRole('main')).toContainText('WebGPU');
    await shot(page, 'no-webgpu');
  } finally {
    await browser.close();
  }
});

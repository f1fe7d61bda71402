/**
 * @file How much memory a tab needs for a model of 1.1 billion parameters in F16, process by process: a synthetic checkpoint of
 * TinyLlama's shape (2.2 GB) comes from a stand-in Hub, is stored, analysed, and opened again from storage.
 *
 *     npx vite build && npx tsx bench/memory.ts        # Linux; about ten minutes on two cores with a software adapter
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from '@playwright/test';
import { FakeHub } from '../e2e/support/fakeHub';
import { gigabytes, MemoryWatch } from '../e2e/support/processes';
import type { Lab } from '../src/lab/contract/types';
import { createRandom } from '../src/numerics/random';
import { chromiumFlags, ensureChromium } from '../tools/chromium.mjs';

declare global {
  interface Window {
    lab: Lab;
  }
}

const port = 4299;
const repository = 'synthetic/1.1b';
const config = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 2048,
  intermediate_size: 5632,
  num_hidden_layers: 22,
  num_attention_heads: 32,
  num_key_value_heads: 4,
  vocab_size: 32_000,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  hidden_act: 'silu',
  tie_word_embeddings: false,
  bos_token_id: 1,
  eos_token_id: 2,
};

type Tensor = readonly [name: string, shape: readonly number[]];

function tensors(): Tensor[] {
  const { hidden_size: hidden, intermediate_size: ffn, vocab_size: vocab } = config;
  const block: Tensor[] = [
    ['input_layernorm', [hidden]],
    ['self_attn.q_proj', [hidden, hidden]],
    ['self_attn.k_proj', [hidden / 8, hidden]],
    ['self_attn.v_proj', [hidden / 8, hidden]],
    ['self_attn.o_proj', [hidden, hidden]],
    ['post_attention_layernorm', [hidden]],
    ['mlp.gate_proj', [ffn, hidden]],
    ['mlp.up_proj', [ffn, hidden]],
    ['mlp.down_proj', [hidden, ffn]],
  ];
  return [
    ['model.embed_tokens.weight', [vocab, hidden]],
    ...Array.from({ length: config.num_hidden_layers }, (_, layer) =>
      block.map(([name, shape]): Tensor => [`model.layers.${layer}.${name}.weight`, shape]),
    ).flat(),
    ['model.norm.weight', [hidden]],
    ['lm_head.weight', [vocab, hidden]],
  ];
}

/** Halves of about ±0.02: a sign, an exponent of 2⁻⁶ or less, any fraction. */
function someFloat16(): Uint8Array {
  const random = createRandom(1);
  const float16 = Uint16Array.from({ length: 2 ** 20 + 7 }, () => {
    const exponent = 6 + Math.floor(random() * 3);
    return (random() < 0.5 ? 0x8000 : 0) | (exponent << 10) | Math.floor(random() * 1024);
  });
  return new Uint8Array(float16.buffer);
}

/** A safetensors file whose numbers repeat. */
function shard(some: readonly Tensor[], numbers: Uint8Array): Uint8Array {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, shape] of some) {
    const begin = end;
    end += shape.reduce((a, b) => a * b, 2);
    header[name] = { dtype: 'F16', shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + padded + end).fill(0x20, 8, 8 + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(json, 8);
  for (let at = 8 + padded; at < file.length; at += numbers.length) {
    file.set(numbers.subarray(0, Math.min(numbers.length, file.length - at)), at);
  }
  return file;
}

/** The repository: configuration, index and three shards. */
function folder(): Map<string, Uint8Array> {
  const all = tensors();
  const numbers = someFloat16();
  const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const files = new Map([['config.json', json(config)]]);
  const places: Record<string, string> = {};
  for (let part = 0; part < 3; part += 1) {
    const some = all.slice(Math.round((part * all.length) / 3), Math.round(((part + 1) * all.length) / 3));
    const name = `model-0000${part + 1}-of-00003.safetensors`;
    files.set(name, shard(some, numbers));
    for (const [tensor] of some) places[tensor] = name;
  }
  return files.set('model.safetensors.index.json', json({ metadata: {}, weight_map: places }));
}

async function main(): Promise<void> {
  const hub = await FakeHub.start();
  const files = folder();
  console.log(`checkpoint: ${gigabytes([...files.values()].reduce((sum, { length }) => sum + length, 0))}`);
  hub.put(repository, { folder: files });
  const server = spawn('node', ['tools/serve.mjs', '--strict', '--port', String(port)], { stdio: 'ignore' });
  // A profile on disk, as a user's: a private window would keep what is stored in memory.
  const profile = mkdtempSync(join(tmpdir(), 'secateur-memory-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: ensureChromium(),
    args: chromiumFlags(),
  });
  const watch = new MemoryWatch(profile);
  const phase = async <T>(name: string, page: Page, work: () => Promise<T>): Promise<T> => {
    watch.peaks();
    const start = performance.now();
    const result = await work();
    const engine = await page.evaluate(() => window.lab.memory().catch(() => null));
    const shown = Object.entries(watch.peaks()).map(([type, bytes]) => `${type} ${gigabytes(bytes)}`);
    console.log(
      `${name} (${((performance.now() - start) / 1000).toFixed(0)} s): ${shown.join(', ')}` +
        (engine === null
          ? ''
          : `; engine at most ${gigabytes(engine.peakBytes)}, room for ${engine.slots}/${engine.blocks}`),
    );
    return result;
  };
  const open = async (): Promise<Page> => {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/?model=`);
    await page.waitForFunction(() => window.lab !== undefined);
    await page.evaluate(() => window.lab.ready);
    return page;
  };
  try {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const page = await open();
    const load = (where: Page) =>
      where.evaluate(([source, address]) => window.lab.load(source, { hub: address }), [repository, hub.url] as const);
    const tokenIds = [Array.from({ length: 16 }, (_, index) => (index * 1237 + 11) % config.vocab_size)];
    await phase('page alone', page, async () => undefined);
    const info = await phase('download into storage', page, () => load(page));
    console.log(`  ${info.parameters} parameters, ${gigabytes(info.storedBytes)} stored`);
    await page.evaluate((ids) => window.lab.calibrate({ tokenIds: ids }), tokenIds);
    await phase('block influence, all weights on the GPU', page, () =>
      page.evaluate(() => window.lab.importance('block-influence')),
    );
    const whole = await phase('Taylor, all weights on the GPU', page, () =>
      page.evaluate(() => window.lab.importance('taylor')),
    );
    await phase('bound of 0.8 GB set', page, () => page.evaluate(() => window.lab.limitMemory(8e8)));
    const offloaded = await phase('Taylor, blocks streaming', page, () =>
      page.evaluate(() => window.lab.importance('taylor')),
    );
    console.log(`  the same scores: ${JSON.stringify(whole.scores) === JSON.stringify(offloaded.scores)}`);
    const refused = await page.evaluate(() =>
      window.lab.perplexity('base', { runtime: 'ort-wasm', tokenIds: [[1, 2, 3]] }).then(
        () => 'computed',
        (error: Error) => error.message,
      ),
    );
    console.log(`  ONNX Runtime on wasm: ${refused}`);
    await phase('opened again from storage', page, () => load(page));
  } finally {
    watch.stop();
    await browser.close();
    server.kill();
    await hub.stop();
    rmSync(profile, { recursive: true, force: true });
  }
}

await main();

/** @file A page with transformers.js's own web build, from node_modules: nothing comes from the network. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import type { Folder, FolderServer } from './folderServer';

const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url));
const runtime = 'ort-wasm-simd-threaded.asyncify';
const files: readonly (readonly [name: string, path: string])[] = [
  ['transformers.js', '@huggingface/transformers/dist/transformers.web.js'],
  ['ort.mjs', 'onnxruntime-web/dist/ort.webgpu.min.mjs'],
  [`${runtime}.mjs`, `onnxruntime-web/dist/${runtime}.mjs`],
  [`${runtime}.wasm`, `onnxruntime-web/dist/${runtime}.wasm`],
];

const html = `<!doctype html><title>transformers.js</title>
<script type="importmap">
{ "imports": {
  "transformers": "./transformers.js", "onnxruntime-web/webgpu": "./ort.mjs", "onnxruntime-common": "./ort.mjs"
} }
</script>
<script type="module">
import * as transformers from 'transformers';
const { env } = transformers;
Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, useBrowserCache: false, useWasmCache: false });
env.localModelPath = '/';
Object.assign(env.backends.onnx.wasm, { wasmPaths: new URL('./', location.href).href, numThreads: 1 });
window.transformers = transformers;
</script>`;

/** What one model says. */
export interface Said {
  /** Greedy continuations of each prompt alone, without the prompt, and of both in one batch with padding. */
  readonly alone: number[][];
  readonly batch: number[][];
  /** Mean negative log-likelihood of the tokens of `scored`, each from those before it. */
  readonly meanNll: number;
}

export interface Questions {
  readonly prompts: readonly string[];
  readonly newTokens: number;
  readonly scored: readonly number[];
  readonly device: 'wasm' | 'webgpu';
}

/** Opens the page; models are the folders of the server. */
export async function openTransformers(page: Page, folders: FolderServer): Promise<void> {
  const folder: Folder = new Map(files.map(([name, path]) => [name, readFileSync(modules + path)]));
  folder.set('index.html', Buffer.from(html));
  await page.goto(`${folders.put('engine', folder)}index.html`);
  await page.waitForFunction(() => 'transformers' in window);
}

/** Opens the model of a folder and asks. */
export function ask(page: Page, model: string, questions: Questions): Promise<Said> {
  return page.evaluate(
    async ({ name, prompts, newTokens, scored, device }) => {
      type Transformers = typeof import('@huggingface/transformers');
      const { AutoTokenizer, AutoModelForCausalLM, Tensor } = (window as unknown as { transformers: Transformers })
        .transformers;
      const tokenizer = await AutoTokenizer.from_pretrained(name);
      const engine = await AutoModelForCausalLM.from_pretrained(name, { device });
      tokenizer.padding_side = 'left';
      const continued = async (texts: string[]): Promise<number[][]> => {
        const inputs = tokenizer(texts, { padding: true });
        const out = await engine.generate({ ...inputs, max_new_tokens: newTokens, do_sample: false });
        const rows = (out as InstanceType<typeof Tensor>).tolist() as bigint[][];
        return rows.map((row) => row.slice(inputs.input_ids.dims[1]).map(Number));
      };
      const alone: number[][] = [];
      for (const prompt of prompts) alone.push(...(await continued([prompt])));
      const batch = await continued([...prompts]);
      const ids = (values: bigint[]) => new Tensor('int64', BigInt64Array.from(values), [1, values.length]);
      const { logits } = await engine({
        input_ids: ids(scored.map(BigInt)),
        attention_mask: ids(scored.map(() => 1n)),
      });
      const vocab = logits.dims[2] as number;
      let sum = 0;
      scored.slice(1).forEach((next, at) => {
        const row: Float32Array = logits.data.subarray(at * vocab, (at + 1) * vocab);
        const top = row.reduce((a, b) => Math.max(a, b));
        sum += top + Math.log(row.reduce((total, value) => total + Math.exp(value - top), 0)) - row[next]!;
      });
      await engine.dispose();
      return { alone, batch, meanNll: sum / (scored.length - 1) };
    },
    { name: model, ...questions, prompts: [...questions.prompts], scored: [...questions.scored] },
  );
}

import { expect, test } from 'vitest';
import { tinyShape } from '../../onnx/testing/randomModel';
import type { Progress } from '../../task';
import type { EngineHandle } from './gpu';
import { type Writers, writeText, writingRuntime } from './writing';

const shape = tinyShape([[4, 2, 16, 40]]);
const large = { ...shape, vocab: 150_000, hidden: 1024 };
const label = { adapter: 'a gpu', software: false, runtime: 'WGSL engine' };

test('the engine writes where there is WebGPU; ONNX Runtime without it, and on an emulated GPU what it writes sooner', () => {
  expect(writingRuntime(shape, null)).toBe('ort-wasm');
  expect(writingRuntime(large, null)).toBe('ort-wasm');
  expect(writingRuntime(shape, { software: false })).toBe('wgsl');
  expect(writingRuntime(shape, { software: true })).toBe('wgsl');
  expect(writingRuntime({ ...shape, vocab: 50_000, hidden: 576 }, { software: true })).toBe('ort-wasm');
  // More than a session beside others should put into the heap that all share.
  expect(writingRuntime(large, { software: true })).toBe('wgsl');
});

/** Says the tokens of a list one after the other, and counts what is open. */
function fakeEngine(tokens: readonly number[], vocab: number) {
  const seen: number[][] = [];
  let open = 0;
  const decoder = () => {
    open += 1;
    return {
      logits: async (given: readonly number[]) => {
        seen.push([...given]);
        const logits = new Float32Array(vocab);
        logits[tokens[seen.length - 1]!] = 1;
        return logits;
      },
      close: () => {
        open -= 1;
      },
    };
  };
  const handle = { engine: { decoder }, label } as unknown as EngineHandle;
  return { handle, seen, open: () => open };
}

/** Bytes as tokens. */
const model = {
  endsOfText: [10],
  promptIds: async (prompt: string) => [...new TextEncoder().encode(prompt)],
  requireTokenizer: () => ({
    decode: async (ids: readonly number[]) => new TextDecoder().decode(Uint8Array.from(ids)),
  }),
};
const bytes = { ...shape, vocab: 256 };
const noSession: Writers['session'] = () => Promise.reject(new Error('no session was expected'));

test('tokens appear as they come, letters only whole, and a stop token ends the text', async () => {
  const tokens = [...new TextEncoder().encode('né!\nmore')];
  const { handle, seen, open } = fakeEngine(tokens, 256);
  const texts: string[] = [];
  const onProgress = (progress: Progress) => {
    if (progress.stage === 'Writing') texts.push(progress.text ?? '');
  };
  const writers: Writers = { session: noSession, engine: async () => handle };
  const result = await writeText(model, bytes, writers, 'ab', { runtime: 'wgsl' }, { onProgress });
  expect(result).toEqual({ text: 'né!\n', tokenIds: tokens.slice(0, 5), runtime: 'wgsl', device: label });
  // Each newer, none with half a letter; those that come while one is decoded are passed by.
  expect(texts.at(-1)).toBe('né!\n');
  for (const text of texts) expect(['', 'n', 'né', 'né!', 'né!\n']).toContain(text);
  // The prompt at once, then each new token alone; the last one is not fed back.
  expect(seen).toEqual([[97, 98], ...tokens.slice(0, 4).map((id) => [id])]);
  expect(open()).toBe(0);
});

test('one decoding at a time, of the newest tokens; nothing is reported behind the answer or a failure', async () => {
  let waiting = 0;
  const decode = async (ids: readonly number[]): Promise<string> => {
    waiting += 1;
    expect(waiting).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    waiting -= 1;
    return String(ids.length);
  };
  const slow = { ...model, requireTokenizer: () => ({ decode }) };
  const { handle } = fakeEngine([1, 2, 3, 4], 256);
  const reports: Progress[] = [];
  const writers: Writers = { session: noSession, engine: async () => handle };
  const task = { onProgress: (progress: Progress) => reports.push(progress) };
  await writeText(slow, bytes, writers, 'a', { runtime: 'wgsl', newTokens: 4 }, task);
  expect(reports.at(-1)).toEqual({ stage: 'Writing', done: 4, total: 4, unit: 'tokens', text: '4' });
  expect(reports.length).toBeLessThan(4);
  const before = reports.length;
  const failing = { engine: { decoder: () => ({ logits: () => Promise.reject(new Error('lost')), close: () => 0 }) } };
  const lost: Writers = { session: noSession, engine: async () => ({ ...failing, label }) as unknown as EngineHandle };
  await expect(writeText(slow, bytes, lost, 'a', { runtime: 'wgsl' }, task)).rejects.toThrow('lost');
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(reports.length).toBe(before);
});

test('what is kept is freed after a cancel and after a failure', async () => {
  const { handle, open } = fakeEngine([1, 2, 3, 4, 5], 256);
  const controller = new AbortController();
  const writers: Writers = { session: noSession, engine: async () => handle };
  const stopped = writeText(
    model,
    bytes,
    writers,
    'a',
    { runtime: 'wgsl' },
    { signal: controller.signal, onProgress: ({ done }) => done === 2 && controller.abort() },
  );
  await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
  expect(open()).toBe(0);
  const failing = {
    engine: { decoder: () => ({ logits: () => Promise.reject(new Error('lost')), close: () => closed++ }) },
  };
  let closed = 0;
  const lost: Writers = { session: noSession, engine: async () => ({ ...failing, label }) as unknown as EngineHandle };
  await expect(writeText(model, bytes, lost, 'a', { runtime: 'wgsl' }, {})).rejects.toThrow('lost');
  expect(closed).toBe(1);
});

test('another runtime writes when asked: the session of that runtime', async () => {
  const asked: string[] = [];
  const writers: Writers = {
    session: (runtime) => {
      asked.push(runtime);
      return Promise.reject(new Error('not here'));
    },
    engine: () => Promise.reject(new Error('no engine was expected')),
  };
  await expect(writeText(model, bytes, writers, 'a', { runtime: 'ort-webgpu' }, {})).rejects.toThrow('not here');
  expect(asked).toEqual(['ort-webgpu']);
});

test('the space between the prompt and what follows stays, although a text on its own begins without one', async () => {
  const words = ['', 'Tom', ' ran', ' off'];
  const spaced = {
    endsOfText: [],
    promptIds: async (prompt: string) => (prompt === '' ? [0] : [0, 1]),
    requireTokenizer: () => ({
      decode: async (ids: readonly number[]) =>
        ids
          .map((id) => words[id])
          .join('')
          .replace(/^ /, ''),
    }),
  };
  for (const [prompt, text] of [
    ['Tom', ' ran off'],
    ['', 'ran off'],
  ] as const) {
    const { handle } = fakeEngine([2, 3], 4);
    const writers: Writers = { session: noSession, engine: async () => handle };
    const result = await writeText(
      spaced,
      { ...shape, vocab: 4 },
      writers,
      prompt,
      { runtime: 'wgsl', newTokens: 2 },
      {},
    );
    expect(result).toMatchObject({ text, tokenIds: [2, 3] });
  }
});

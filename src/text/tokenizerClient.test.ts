import { afterEach, expect, test, vi } from 'vitest';
import type { LabError } from '../errors';
import { tinyTokenizerJson, tinyVocab } from './testing/tinyTokenizer';
import { serveThread, type WorkerLike } from './thread';
import { openTokenizerThread } from './tokenizerClient';
import { tokenizerMethods } from './tokenizerThread';

const hello = tinyVocab - 6;
const texts = (json: object, config: object | null = null) => ({
  tokenizer: JSON.stringify(json),
  config: config && JSON.stringify(config),
  addedTokens: null,
  specialTokensMap: null,
});

afterEach(() => {
  vi.useRealTimers();
});

/** Threads in this thread; `hangs` says which messages are never heard. */
function threads(hangs: (method: string, args: unknown[]) => boolean = () => false) {
  const log: string[] = [];
  const spawn = (): WorkerLike => {
    log.push('spawned');
    const scope = { onmessage: null } as unknown as Worker;
    const made: WorkerLike = {
      onmessage: null,
      onerror: null,
      postMessage: (data: { method: string; args: unknown[] }) => {
        if (!hangs(data.method, data.args)) queueMicrotask(() => scope.onmessage?.({ data } as MessageEvent));
      },
      terminate: () => {
        log.push('ended');
        made.onmessage = null;
      },
    };
    scope.postMessage = (data: unknown) => made.onmessage?.call(made as Worker, { data } as MessageEvent);
    serveThread(scope, tokenizerMethods());
    return made;
  };
  return { spawn, log };
}

test('a tokenizer in a thread encodes, decodes, and says what it knows', async () => {
  const { spawn, log } = threads();
  const tokenizer = await openTokenizerThread(texts(tinyTokenizerJson(), { bos_token: '<s>' }), tinyVocab, { spawn });
  expect(tokenizer).toMatchObject({ bosId: 0, eosId: null, addsBos: false, size: tinyVocab, notes: [] });
  const heard: number[] = [];
  expect(await tokenizer.encode('hello', { onProgress: ({ total }) => heard.push(total) })).toEqual([hello]);
  expect(await tokenizer.decode([hello])).toBe('hello');
  await expect(tokenizer.decode([-1])).rejects.toMatchObject({ code: 'bad-argument' });
  tokenizer.close();
  expect(log).toEqual(['spawned', 'ended']);
  await expect(tokenizer.encode('hello')).rejects.toMatchObject({ code: 'aborted' });
});

test('a text that hangs ends its thread with an error; the next call opens another', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { spawn, log } = threads((method, [text]) => method === 'encode' && text === 'hang');
  const tokenizer = await openTokenizerThread(texts(tinyTokenizerJson()), tinyVocab, { spawn, patience: 500 });
  const hanging = tokenizer.encode('hang').catch((thrown: unknown) => thrown as LabError);
  await vi.advanceTimersByTimeAsync(501);
  expect(await hanging).toMatchObject({ code: 'bad-tokenizer', message: expect.stringContaining('did not respond') });
  expect(await tokenizer.encode('hello')).toEqual([hello]);
  expect(log).toEqual(['spawned', 'ended', 'spawned']);
});

test('cancelling one text rejects it at once; another one is encoded by the next thread', async () => {
  const { spawn, log } = threads((method, [text]) => method === 'encode' && text === 'hang');
  const tokenizer = await openTokenizerThread(texts(tinyTokenizerJson()), tinyVocab, { spawn });
  const controller = new AbortController();
  const hanging = tokenizer.encode('hang', { signal: controller.signal });
  const other = tokenizer.encode('hello');
  await Promise.resolve();
  controller.abort();
  await expect(hanging).rejects.toMatchObject({ code: 'aborted' });
  expect(await other).toEqual([hello]);
  expect(log.filter((each) => each === 'ended').length).toBeLessThanOrEqual(1);
});

const split = (pattern: string) => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Removed',
  invert: false,
});
const doubling = { type: 'Replace', pattern: { String: 'o' }, content: 'oo' };

test.each<[string, object, string]>([
  ['nothing', null as unknown as object, 'Expected Object'],
  [
    'a text that doubles 40 times',
    { normalizer: { type: 'Sequence', normalizers: Array(40).fill(doubling) } },
    'longer than',
  ],
  ['pieces of length 0', { pre_tokenizer: { type: 'FixedLength', length: 0 } }, 'length'],
  ['no tokens', { pre_tokenizer: split('[\\s\\S]') }, 'produces no tokens'],
  [
    'changes the letters',
    { decoder: { type: 'Replace', pattern: { String: 'T' }, content: 'x' } },
    'changes the letters',
  ],
  ['tokens by chance', { model: { ...(tinyTokenizerJson()['model'] as object), dropout: 0.1 } }, 'dropout'],
  ['steps within each other', { normalizer: deep(1000) }, 'tokenizer.json: '],
])('%s: refused when it is opened', async (_, part, message) => {
  const json = part === null ? 'null' : JSON.stringify(tinyTokenizerJson(part));
  const opening = openTokenizerThread({ ...texts({}), tokenizer: json }, tinyVocab);
  await expect(opening).rejects.toMatchObject({ code: 'bad-tokenizer', message: expect.stringContaining(message) });
});

function deep(depth: number): object {
  let value: object = { type: 'NFC' };
  for (let level = 0; level < depth; level += 1) value = { type: 'Sequence', normalizers: [value] };
  return value;
}

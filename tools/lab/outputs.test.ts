import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readOptions, UsageError } from './options.mjs';
import { folderOf } from './outputs.mjs';
import { receiveFiles, target } from './receive.mjs';

const folder = mkdtempSync(join(tmpdir(), 'secateur-out-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('exports name formats of the registry, each with one of its types', () => {
  const { exports, out } = readOptions(['--export', 'gguf:q8_0, huggingface', '--out', 'x']);
  expect(exports).toEqual([{ format: 'gguf', dtype: 'q8_0' }, { format: 'huggingface' }]);
  expect(out).toBe('x');
  expect(readOptions([]).exports).toEqual([]);
});

test('a shared link begins with the address of a page', () => {
  const { share, words } = readOptions(['--share', 'https://host/x/?model=demo#s1.x', '--title', 'Mine']);
  expect(share).toBe('https://host/x/');
  expect(words).toEqual({ title: 'Mine' });
});

test.each([
  [['--export', 'zip'], /expected one of huggingface/],
  [['--export', 'gguf:q9'], /--export gguf: expected one of .*q8_0.*, got 'q9'/],
  [['--export', 'mergekit:f16'], /expected no type/],
  [['--out', 'x'], /give --export too/],
  [['--share', 'javascript:alert(1)'], /address of a page/],
])('what cannot be meant is refused: %j', (line, message) => {
  expect(() => readOptions(line)).toThrow(UsageError);
  expect(() => readOptions(line)).toThrow(message);
});

test('folders are named by the variant and the format, whatever a variant is called', () => {
  const choice = { format: 'gguf', dtype: 'f16' };
  expect(folderOf({ name: 'by ppl+, repair: ../..', index: 2, several: true }, choice)).toBe(
    '2-by-ppl-repair/gguf-f16',
  );
  expect(folderOf({ name: '−1', index: 1, several: true }, { format: 'onnx' })).toBe('1-1/onnx');
  expect(folderOf({ name: 'x', index: 1, several: false }, choice)).toBe('gguf-f16');
});

test('files arrive from the page alone, below the folder alone', async () => {
  const origin = 'http://127.0.0.1:1';
  const { url, close } = await receiveFiles(folder, origin);
  const put = (path: string, from: string): Promise<Response> =>
    fetch(url + path, { method: 'PUT', body: 'bytes', headers: { Origin: from } });
  expect((await put('a%2Fonnx%2Fmodel.onnx', origin)).status).toBe(201);
  expect(readFileSync(join(folder, 'a/onnx/model.onnx'), 'utf8')).toBe('bytes');
  // A browser asks first, since files that have a type are sent with it.
  const asked = await fetch(url, { method: 'OPTIONS', headers: { Origin: origin } });
  expect(asked.headers.get('Access-Control-Allow-Headers')).toBe('Content-Type');
  expect((await put('a', 'https://other.example')).status).toBe(403);
  expect((await put('..%2Foutside', origin)).status).toBe(404);
  await close();
});

test.each(['/other/a', '/key/', '/key/..%2fa', '/key/%2fetc%2fpasswd', '/key/%', '/key/a%00b'])(
  'no file: %s',
  (url) => {
    expect(target(folder, 'key', url)).toBeNull();
  },
);

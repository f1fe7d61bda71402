/** @file Mutated .jsonl and .txt files: their documents, or an error that says what is wrong. */
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { LabError } from '../../src/errors';
import { readTextFile } from '../../src/text/readers/file';
import { forEachMutation, fuzzTimeout, mutateBytes, mutateJson, pick, pythonJson } from './mutate';

const records = [
  { id: 1, text: 'a\nb "quoted" \\ é 語' },
  { text: '', nested: { deep: [[[1, 2], {}], null] } },
  { text: 'c', more: true },
];
const encoder = new TextEncoder();
const plain = encoder.encode('\ufeff\n  Größe 語 👩‍👩‍👧‍👦\r\n\tend \n');

async function read(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<number | string> {
  try {
    return (await readTextFile(new File([bytes], name))).texts.length;
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(LabError);
    expect((thrown as LabError).code).toBe('bad-source');
    return (thrown as LabError).message;
  }
}

test('mutated .jsonl files', { timeout: fuzzTimeout }, async () => {
  await forEachMutation(async (random) => {
    const lines = records.map((record) => pythonJson(pick(random, [record, mutateJson(random, record)])));
    const bytes = encoder.encode(lines.join(pick(random, ['\n', '\r\n', '\n\n\n'])));
    const found = await read('a.jsonl', pick(random, [bytes, mutateBytes(random, bytes)]));
    // No more documents than lines: a cut line may only refuse.
    if (typeof found === 'number') expect(found).toBeLessThanOrEqual(records.length + 8);
  });
});

test('mutated .txt and .txt.gz files', { timeout: fuzzTimeout }, async () => {
  const packed = new Uint8Array(gzipSync(plain));
  await forEachMutation(async (random) => {
    const [name, bytes] = pick(random, [['a.txt', plain] as const, ['a.txt.gz', packed] as const]);
    const found = await read(name, mutateBytes(random, bytes));
    if (typeof found === 'number') expect(found).toBe(1);
  });
});

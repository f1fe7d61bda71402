/** @file Writing into a folder: what it holds afterwards, also where the disk is full or the user cancels. */
import { expect, test } from 'vitest';
import { archiveOf } from '../../export/archive';
import type { ExportedFile } from '../../export/exported';
import { textFile } from '../../export/files';
import type { Progress } from '../../task';
import { writeFolder } from './exportFolder';

type Tree = Map<string, Uint8Array | Tree>;

/** A folder handle over a map, on a disk that takes `room.bytes` more. A file appears as it was until it is closed. */
function handleOf(tree: Tree, room = { bytes: 1e9 }, name = 'chosen'): FileSystemDirectoryHandle {
  const missing = () => new DOMException('missing', 'NotFoundError');
  const fileHandle = (key: string) => ({
    async createWritable() {
      const parts: Uint8Array[] = [];
      return {
        async write(piece: Uint8Array) {
          if (piece.byteLength > room.bytes) throw new DOMException('full', 'QuotaExceededError');
          room.bytes -= piece.byteLength;
          parts.push(piece);
        },
        close: async () => void tree.set(key, Buffer.concat(parts)),
        abort: async () => undefined,
      };
    },
  });
  return {
    kind: 'directory',
    name,
    async getDirectoryHandle(key: string, { create = false } = {}) {
      if (!tree.has(key) && create) tree.set(key, new Map());
      const found = tree.get(key);
      if (!(found instanceof Map)) throw missing();
      return handleOf(found, room, key);
    },
    async getFileHandle(key: string, { create = false } = {}) {
      if (!tree.has(key) && !create) throw missing();
      if (!tree.has(key)) tree.set(key, new Uint8Array());
      return fileHandle(key);
    },
    removeEntry: async (key: string) => void tree.delete(key),
  } as unknown as FileSystemDirectoryHandle;
}

const files: ExportedFile[] = [textFile('config.json', '{}'), textFile('onnx/deep/model.onnx', 'graph')];
const text = (tree: Tree, ...path: string[]): string | undefined => {
  const found = path.reduce<Uint8Array | Tree | undefined>(
    (at, key) => (at instanceof Map ? at.get(key) : undefined),
    tree,
  );
  return found instanceof Map || found === undefined ? undefined : new TextDecoder().decode(found);
};

test('files lie at their paths, and progress counts all bytes', async () => {
  const tree: Tree = new Map([['config.json', Buffer.from('old')]]);
  const progress: Progress[] = [];
  const done = await writeFolder(handleOf(tree), files, { onProgress: (each) => progress.push(each) });
  expect(done).toEqual({ files: ['config.json', 'onnx/deep/model.onnx'], bytes: 7 });
  expect(text(tree, 'config.json')).toBe('{}');
  expect(text(tree, 'onnx', 'deep', 'model.onnx')).toBe('graph');
  expect(progress.map(({ done: bytes, total }) => [bytes, total])).toEqual([
    [2, 7],
    [7, 7],
  ]);
});

test('a full disk is told, and leaves neither an unfinished file nor a changed one', async () => {
  const tree: Tree = new Map();
  const failed = writeFolder(handleOf(tree, { bytes: 4 }), files, {});
  await expect(failed).rejects.toMatchObject({ code: 'quota', message: expect.stringContaining('2 of 7 bytes') });
  expect(text(tree, 'config.json')).toBe('{}');
  expect(text(tree, 'onnx', 'deep', 'model.onnx')).toBeUndefined();
  const before: Tree = new Map([['config.json', Buffer.from('old')]]);
  await expect(writeFolder(handleOf(before, { bytes: 1 }), files, {})).rejects.toMatchObject({ code: 'quota' });
  expect(text(before, 'config.json')).toBe('old');
});

test('cancelling removes the file under way', async () => {
  const tree: Tree = new Map();
  const controller = new AbortController();
  const slow: ExportedFile = {
    ...{ path: 'weights', type: '', bytes: 2 },
    async *pieces() {
      yield new Uint8Array(1);
      controller.abort();
      yield new Uint8Array(1);
    },
  };
  const stopped = writeFolder(handleOf(tree), [files[0]!, slow], { signal: controller.signal });
  await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
  expect([...tree.keys()]).toEqual(['config.json']);
});

test('an archive holds the paths and bytes of its files, and stops when it is cancelled', async () => {
  const archive = await archiveOf('m.zip', files, {});
  const bytes = Buffer.from(await archive.arrayBuffer());
  expect(archive.name).toBe('m.zip');
  for (const part of ['config.json', '{}', 'onnx/deep/model.onnx', 'graph']) expect(bytes.includes(part)).toBe(true);
  expect(bytes.readUInt32LE(0)).toBe(0x04034b50);
  expect(bytes.subarray(-22).readUInt16LE(10)).toBe(2);
  const controller = new AbortController();
  controller.abort();
  await expect(archiveOf('m.zip', files, { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
});

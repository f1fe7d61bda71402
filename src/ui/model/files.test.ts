import { expect, test } from 'vitest';
import { chosenFiles, modelFolder } from '../../shards/sources/chosenFiles';
import { walk } from './files';

type Tree = { [name: string]: Tree | string };

/** What a browser gives for a dropped folder; `read` lists the folders that were looked into. */
function entry(name: string, content: Tree | string, read: string[], parent = ''): FileSystemEntry {
  const fullPath = `${parent}/${name}`;
  const common = { name, fullPath, isFile: typeof content === 'string', isDirectory: typeof content !== 'string' };
  if (typeof content === 'string') {
    return {
      ...common,
      file: (done: (file: File) => void) => done(new File([content], name)),
    } as unknown as FileSystemEntry;
  }
  const children = Object.entries(content).map(([child, inside]) => entry(child, inside, read, fullPath));
  const createReader = () => {
    read.push(fullPath);
    const left = [...children];
    return { readEntries: (done: (entries: FileSystemEntry[]) => void) => done(left.splice(0, 2)) };
  };
  return { ...common, createReader } as unknown as FileSystemEntry;
}

const model: Tree = { 'config.json': '{}', 'model.safetensors': 'w', 'tokenizer.json': '{}' };

async function dropped(tree: Tree): Promise<{ paths: string[]; read: string[]; pick: () => string }> {
  const read: string[] = [];
  const files = await walk(Object.entries(tree).map(([name, content]) => entry(name, content, read)));
  return { paths: files.map(({ path }) => path), read, pick: () => modelFolder(chosenFiles(files)).folder };
}

test('a folder in a folder in a folder is found, in more entries than one reading gives', async () => {
  const { paths, pick } = await dropped({ downloads: { 'notes.txt': '', llama: { fp16: model } } });
  expect(paths).toContain('downloads/llama/fp16/model.safetensors');
  expect(paths).toContain('downloads/notes.txt');
  expect(pick()).toBe('downloads/llama/fp16/');
});

test('within a model, and in folders with a dot, nothing is looked for', async () => {
  const { read, pick } = await dropped({
    m: { ...model, onnx: { a: { 'b.bin': '' } } },
    '.git': { x: '' },
    n: { '.c': {} },
  });
  expect(read).toEqual(['/m', '/.git', '/n']);
  expect(pick()).toBe('m/');
});

test('a snapshot of the Hub’s cache, copied, is the model; one of links is explained', async () => {
  const snapshots = (files: Tree): Tree => ({ 'models--o--n': { blobs: { ab12: 'w' }, snapshots: { f00: files } } });
  expect((await dropped(snapshots(model))).pick()).toBe('models--o--n/snapshots/f00/');
  expect((await dropped(snapshots({}))).pick).toThrow(/models--o--n is a Hub cache/);
});

test('several models are named, wherever they lie', async () => {
  const { pick } = await dropped({ zoo: { small: model, more: { large: model } } });
  expect(pick).toThrow(/2 models were chosen \(zoo\/small, zoo\/more\/large\)/);
});

test('a config.json without weights gives way to one with them', async () => {
  const { pick } = await dropped({ work: { app: { 'config.json': '{}' }, model } });
  expect(pick()).toBe('work/model/');
});

test('folders without end are walked to a bound', async () => {
  let deep: Tree = { ...model };
  for (let level = 0; level < 12; level += 1) deep = { deeper: deep, 'a.txt': '' };
  const { read, pick } = await dropped({ deep });
  expect(read).toHaveLength(8);
  expect(pick).toThrow(/holds no config.json/);
});

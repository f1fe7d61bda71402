/** @file Reads the files of a drag and drop: single files and, in browsers that can list them, folders. */
import type { ChosenFile } from '../../shards/sources/chosenFiles';
import { configFile } from '../../shards/sources/modelFiles';
import { badSource } from '../../shards/sources/sourceErrors';

/** Folder levels to search: deeper than any model folder, and shallow enough if a user drops a whole disk. */
const maxDepth = 8;
const maxFiles = 20_000;

/** Reads all entries of a directory: each call of `readEntries` returns at most a hundred. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

async function fileOf(entry: FileSystemFileEntry): Promise<ChosenFile> {
  const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
  return { file, path: entry.fullPath.replace(/^\//, '') };
}

/**
 * All files of the entries and of the folders inside them, level by level. The search stops at a folder with a
 * config.json: that folder is the model, and its subfolders hold other formats of it. Folders with a leading dot are
 * skipped.
 */
export async function walk(entries: readonly FileSystemEntry[]): Promise<ChosenFile[]> {
  const found: FileSystemFileEntry[] = entries.filter(isFile);
  let level = entries.filter(isFolder);
  for (let depth = 0; depth < maxDepth && level.length > 0 && found.length < maxFiles; depth += 1) {
    const next: FileSystemDirectoryEntry[] = [];
    for (const folder of level) {
      const inside = await entriesOf(folder);
      found.push(...inside.filter(isFile));
      if (found.length >= maxFiles) break;
      if (inside.some((entry) => entry.isFile && entry.name === configFile)) continue;
      next.push(...inside.filter(isFolder).filter(({ name }) => !name.startsWith('.')));
    }
    level = next;
  }
  return Promise.all(found.slice(0, maxFiles).map(fileOf));
}

/** All files of a drop. Call it inside the event handler: the browser empties the list afterwards. */
export async function droppedFiles(transfer: DataTransfer): Promise<File[] | ChosenFile[]> {
  const plain = [...transfer.files];
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry?.() ?? null)
    .filter((entry): entry is FileSystemEntry => entry !== null);
  if (entries.length === 0) return plain;
  const found = await walk(entries);
  if (found.length === 0) throw badSource('the dropped folder holds no files');
  return found;
}

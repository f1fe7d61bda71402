/** @file Files out of a drop: plain ones and, where the browser can walk them, whole folders. */
import type { ChosenFile } from '../../shards/sources/chosenFiles';
import { configFile } from '../../shards/sources/modelFiles';
import { badSource } from '../../shards/sources/sourceErrors';

/** Folders within folders: deeper than any model lies, shallow enough for a drop of somebody's whole disk. */
const maxDepth = 8;
const maxFiles = 20_000;

/** Reads one directory to its end: `readEntries` hands out at most a hundred at a time. */
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
 * All files of the entries and of the folders within them, level by level. A folder with a config.json is a model, whose
 * own folders hold other forms of it; folders whose names begin with a dot hold none.
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

/** All files of a drop. Must be called while the event is being handled: later the list is empty. */
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

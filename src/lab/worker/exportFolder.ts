/** @file Writes exported files into a folder that the user chose, piece by piece. */
import { LabError, throwIfAborted } from '../../errors';
import type { ExportedFile } from '../../export/exported';
import type { TaskOptions } from '../../task';
import type { ExportedFolder } from '../contract/types';

/**
 * Writes the files, one after the other. The browser puts a file in its place when it is complete, so that cancelling or a full
 * disk leaves what was there before. @throws LabError 'aborted', 'quota', 'storage'
 */
export async function writeFolder(
  folder: FileSystemDirectoryHandle,
  files: readonly ExportedFile[],
  { signal, onProgress }: TaskOptions,
): Promise<ExportedFolder> {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for (const file of files) {
    const onBytes = (bytes: number): void => {
      done += bytes;
      onProgress?.({ stage: `Writing ${file.path}`, done, total, unit: 'bytes' });
    };
    try {
      await writeFile(folder, file, signal, onBytes);
    } catch (thrown) {
      throw failureOf(thrown, file.path, done, total);
    }
  }
  return { files: files.map(({ path }) => path), bytes: total };
}

async function writeFile(
  root: FileSystemDirectoryHandle,
  file: ExportedFile,
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
): Promise<void> {
  throwIfAborted(signal, 'The export');
  const names = file.path.split('/');
  const name = names.pop()!;
  let folder = root;
  for (const each of names) folder = await folder.getDirectoryHandle(each, { create: true });
  const isNew = await folder.getFileHandle(name).then(
    () => false,
    () => true,
  );
  const handle = await folder.getFileHandle(name, { create: true });
  try {
    const stream = await handle.createWritable();
    try {
      for await (const piece of file.pieces(signal)) {
        throwIfAborted(signal, 'The export');
        await stream.write(piece);
        onBytes(piece.byteLength);
      }
      throwIfAborted(signal, 'The export');
      await stream.close();
    } catch (thrown) {
      await stream.abort().catch(() => undefined); // what failed is `thrown`; a stream in error is closed already
      throw thrown;
    }
  } catch (thrown) {
    // The empty file that createWritable replaces on closing.
    if (isNew) await folder.removeEntry(name).catch(() => undefined);
    throw thrown;
  }
}

function failureOf(thrown: unknown, path: string, done: number, total: number): unknown {
  if (!(thrown instanceof DOMException)) return thrown;
  const progress = `${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')} bytes were written`;
  if (thrown.name === 'QuotaExceededError') {
    return new LabError(
      'quota',
      `The disk is full: ${progress}, and ${path} did not fit.`,
      'Free space or choose a folder on another disk. Complete files of this export stay in the folder.',
      { cause: thrown },
    );
  }
  return new LabError(
    'storage',
    `${path} cannot be written (${thrown.message}): ${progress}.`,
    'Allow the page to write into this folder, or choose another one. A disk formatted as FAT32 takes no file beyond 4 GiB.',
    { cause: thrown },
  );
}

/** @file A folder as one uncompressed .zip, made while it is read: for browsers that cannot write into folders. */
import { makeZip, predictLength } from 'client-zip';
import { abortedError, throwIfAborted } from '../errors';
import type { TaskOptions } from '../task';
import type { ExportedFile } from './exported';

/** The archive as a File. Each piece becomes a Blob of its own, which the browser may move out of memory. */
export async function archiveOf(
  name: string,
  files: readonly ExportedFile[],
  { signal, onProgress }: TaskOptions,
): Promise<File> {
  const total = Number(predictLength(files.map(({ path, bytes }) => ({ name: path, size: bytes }))));
  let stage = '';
  async function* entries() {
    for (const file of files) {
      stage = `Writing ${file.path}`;
      yield { name: file.path, size: file.bytes, lastModified: new Date(), input: file.pieces(signal) };
    }
  }
  const reader = makeZip(entries()).getReader();
  const parts: Blob[] = [];
  let done = 0;
  try {
    for (;;) {
      throwIfAborted(signal, 'The export');
      const { value } = await reader.read();
      if (value === undefined) break;
      parts.push(new Blob([value as Uint8Array<ArrayBuffer>]));
      done += value.byteLength;
      onProgress?.({ stage, done, total, unit: 'bytes' });
    }
  } catch (thrown) {
    await reader.cancel().catch(() => undefined); // the reason of the failure is `thrown`
    if (signal?.aborted) throw abortedError('The export');
    throw thrown;
  }
  return new File(parts, name, { type: 'application/zip' });
}

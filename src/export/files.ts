/** @file Exported files as text and Blobs, and as one Blob each for a download. */
import { throwIfAborted } from '../errors';
import { type ExportedFile, pieceBytes } from './exported';

/** A small file whose content is known. */
export function textFile(path: string, text: string, type = 'text/plain'): ExportedFile {
  const bytes = new TextEncoder().encode(text);
  return {
    path,
    type,
    bytes: bytes.byteLength,
    async *pieces() {
      for (let at = 0; at < bytes.byteLength; at += pieceBytes) yield bytes.slice(at, at + pieceBytes);
    },
  };
}

export function jsonFile(path: string, value: unknown): ExportedFile {
  return textFile(path, `${JSON.stringify(value, null, 2)}\n`, 'application/json');
}

/** A Blob as a file, read piece by piece. */
export function blobFile(path: string, blob: Blob, type = 'application/octet-stream'): ExportedFile {
  return {
    path,
    type,
    bytes: blob.size,
    async *pieces(signal) {
      for (let at = 0; at < blob.size; at += pieceBytes) {
        throwIfAborted(signal, 'The export');
        yield new Uint8Array(await blob.slice(at, at + pieceBytes).arrayBuffer());
      }
    },
  };
}

/**
 * The file as a browser's File, named by its path. Each piece becomes a Blob of its own, which the browser may move out of memory
 * while the next one is made.
 * @param onBytes hears how many bytes each piece has
 */
export async function wholeFile(
  file: ExportedFile,
  signal?: AbortSignal,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<File> {
  const parts: Blob[] = [];
  for await (const piece of file.pieces(signal)) {
    throwIfAborted(signal, 'The export');
    parts.push(new Blob([piece]));
    onBytes(piece.byteLength);
  }
  return new File(parts, file.path, { type: file.type });
}

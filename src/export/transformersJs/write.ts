/** @file Writes a variant in the format 'transformers.js'. */
import type { ExportedFile, ExportOptions, ExportSource } from '../exported';

export default async function write(_source: ExportSource, _options: ExportOptions): Promise<readonly ExportedFile[]> {
  return [];
}

/** @file Writes a variant in the format 'mergekit'. */
import type { ExportedFile, ExportOptions, ExportSource } from '../exported';

export default async function write(_source: ExportSource, _options: ExportOptions): Promise<readonly ExportedFile[]> {
  return [];
}

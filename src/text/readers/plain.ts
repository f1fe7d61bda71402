/** @file .txt → one document. */
import type { TaskOptions } from '../../task';
import { type Documents, maxCharacters, tooLong } from '../documents';
import { characters } from './lines';

/** A plain text whole. Throws 'bad-source' for what is no UTF-8, empty or longer than a text may be. */
export async function readPlain(file: File, task: TaskOptions = {}): Promise<Documents> {
  const parts: string[] = [];
  let length = 0;
  for await (const part of characters(file, task)) {
    parts.push(part);
    length += part.length;
    if (length > maxCharacters) throw tooLong(file.name);
  }
  return { texts: [parts.join('')], complete: true };
}

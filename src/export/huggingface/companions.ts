/** @file The small files of a folder beside the weights: tokenizer and generation settings, as the model came with them. */
import { parseJson } from '../../io/json';
import { record, show } from '../../model/configFields';
import { configFile, generationConfigFile, optionalFiles } from '../../shards/sources/modelFiles';
import type { ExportedFile, ExportSource } from '../exported';
import { textFile } from '../files';
import { pythonJsonFile } from './pythonJson';

/** Fields that hold token ids. */
const idFields = /_token_ids?$/;

export interface Companions {
  readonly files: readonly ExportedFile[];
  /** What was left out of them, one sentence each. */
  readonly notes: readonly string[];
}

/** Tokenizer files as they are, and generation_config.json without ids that the vocabulary lacks. */
export async function companions(source: ExportSource): Promise<Companions> {
  const files: ExportedFile[] = [];
  const notes: string[] = [];
  for (const name of optionalFiles) {
    const text = await source.text(name);
    if (text === null) continue;
    if (name === generationConfigFile) {
      const fields = record(parseJson(text, name, 'bad-source'));
      if (fields === null) continue;
      const before = notes.length;
      const known = withKnownIds(fields, source.shape.vocab, name, notes);
      files.push(notes.length > before ? pythonJsonFile(name, known) : textFile(name, text, 'application/json'));
    } else files.push(textFile(name, text, 'application/json'));
  }
  return { files, notes };
}

/** The same fields without token ids beyond the vocabulary, which a model would never give and loaders refuse. */
export function withKnownIds(
  fields: Readonly<Record<string, unknown>>,
  vocab: number,
  file: string = configFile,
  notes: string[] = [],
): Record<string, unknown> {
  const known = (id: unknown): boolean => typeof id !== 'number' || id < vocab;
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]): [string, unknown][] => {
      if (!idFields.test(name)) return [[name, value]];
      const ids = Array.isArray(value) ? value.filter(known) : value;
      if (Array.isArray(value) ? (ids as unknown[]).length === value.length : known(value)) return [[name, value]];
      notes.push(`${file}: ${name} ${show(value)} has ids beyond the vocabulary of ${vocab}; they were left out.`);
      return Array.isArray(ids) && ids.length > 0 ? [[name, ids]] : [];
    }),
  );
}

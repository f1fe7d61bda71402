/** @file .jsonl → one document a line, from one field of its records. */
import { LabError } from '../../errors';
import type { TaskOptions } from '../../task';
import { DocumentCollector, type Documents, maxCharacters } from '../documents';
import { lines } from './lines';

/** Longest line: an escape takes up to six characters for one. */
const maxLine = 6 * maxCharacters;
/** Lists and objects within each other. */
const maxDepth = 512;

/**
 * The strings of one field: `field`, else 'text' where the first record has it, else that record's first string.
 * Throws 'bad-source' with the number of the line.
 */
export async function readJsonLines(
  file: File,
  { field, ...task }: TaskOptions & { field?: string | undefined } = {},
): Promise<Documents> {
  const collector = new DocumentCollector(file.name);
  const bad = (line: number, what: string, remedy = 'Correct the line, or name another field.'): LabError =>
    new LabError('bad-source', `${file.name}, line ${line}: ${what}.`, remedy);
  const overlong = (line: number): LabError => bad(line, `expected at most ${maxLine} characters, got more`);
  let number = 0;
  let taken = field;
  for await (const line of lines(file, maxLine, overlong, task)) {
    number += 1;
    if (line.trim() === '') {
      collector.skip();
      if (collector.full) return collector.finish(false);
      continue;
    }
    const record = recordOf(line, (what) => bad(number, what, 'Write one JSON object per line: {"text": "…"}.'));
    taken ??= fieldOf(record);
    if (taken === undefined) throw bad(number, `no field is a string (fields: ${namesOf(record)})`);
    const text = record[taken];
    if (typeof text !== 'string') {
      throw bad(number, `expected a string in the field '${taken}', got ${kindOf(text)} (fields: ${namesOf(record)})`);
    }
    collector.add(text);
    if (collector.full) return collector.finish(false);
  }
  return collector.finish(true);
}

function recordOf(line: string, bad: (what: string) => LabError): Record<string, unknown> {
  if (depthOf(line) > maxDepth) throw bad(`expected at most ${maxDepth} nested lists and objects`);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw bad(`expected JSON: ${cause instanceof Error ? cause.message.slice(0, 200) : String(cause)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw bad(`expected an object, got ${kindOf(value)}`);
  }
  return value as Record<string, unknown>;
}

/** Most lists and objects that are open at once, told by their brackets outside of strings. */
function depthOf(line: string): number {
  let depth = 0;
  let most = 0;
  let quoted = false;
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at];
    if (quoted) {
      if (character === '\\') at += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '{' || character === '[') most = Math.max(most, ++depth);
    else if (character === '}' || character === ']') depth -= 1;
  }
  return most;
}

function fieldOf(record: Record<string, unknown>): string | undefined {
  if (typeof record['text'] === 'string') return 'text';
  return Object.keys(record).find((name) => typeof record[name] === 'string');
}

function namesOf(record: Record<string, unknown>): string {
  const names = Object.keys(record);
  return names.length === 0 ? 'none' : names.slice(0, 10).join(', ').slice(0, 200);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

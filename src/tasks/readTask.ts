/** @file Questions from outside: a .json or .jsonl file, and a file of labels beside it where a data set has one. */
import { LabError, shown } from '../errors';
import { parseJson } from '../io/json';
import type { TaskOptions } from '../task';
import { wholeText } from '../text/readers/lines';
import { itemOf } from './formats';
import type { Task, TaskItem } from './item';

/** Most characters of a file with questions: HellaSwag's 10,042 have 12 million. */
export const mostCharacters = 2 ** 26;
/** Most questions of a file. */
export const mostItems = 100_000;
/** Longest name of a task. */
const mostName = 200;

export interface ReadTaskOptions extends TaskOptions {
  /** The right answers' indices, one a line, for files whose questions lack them, as PIQA's. */
  readonly labels?: File | undefined;
  /** Takes the first questions only. */
  readonly limit?: number | undefined;
}

/**
 * The questions of a file: a JSON list, or one JSON object a line. `.gz` is unpacked.
 * @throws LabError 'bad-source' that names the line or the question, what was expected and what came
 */
export async function readTask(file: File, { labels, limit, ...task }: ReadTaskOptions = {}): Promise<Task> {
  const name = file.name.slice(0, mostName);
  if (!/\.(json|jsonl|ndjson)(\.gz)?$/i.test(file.name)) {
    throw bad(`${name}: expected a .json or .jsonl file with questions`);
  }
  const text = await textOf(file, task);
  const gold = labels === undefined ? null : parseLabels(await textOf(labels, task), labels.name);
  const records = text.trimStart().startsWith('[') ? listed(text, name) : lined(text, name);
  const items: TaskItem[] = [];
  for (const { value, where } of records) {
    if (items.length === mostItems) throw bad(`${name}: expected at most ${mostItems} questions, got more`);
    const label = gold?.[items.length];
    if (gold !== null && label === undefined) {
      throw bad(`${labels?.name}: expected a label for each question of ${name}, got ${gold.length} labels`);
    }
    items.push(itemOf(value, where, label));
    if (items.length === limit) break;
  }
  if (items.length === 0) throw bad(`${name}: expected at least one question, got none`);
  return { name, items };
}

interface Placed {
  readonly value: unknown;
  readonly where: string;
}

function* listed(text: string, name: string): Generator<Placed> {
  const list = parseJson(text, name, 'bad-source');
  if (!Array.isArray(list)) throw bad(`${name}: expected a list of questions`);
  for (const [index, value] of list.entries()) yield { value, where: `${name}, question ${index + 1}` };
}

/** Line by line, so that an early `limit` leaves the rest unread. */
function* lined(text: string, name: string): Generator<Placed> {
  let line = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const content = text.slice(start, end);
    start = end + 1;
    line += 1;
    const where = `${name}, line ${line}`;
    if (content.trim() !== '') yield { value: parseJson(content, where, 'bad-source'), where };
  }
}

function parseLabels(text: string, name: string): number[] {
  const lines = text.trimEnd().split('\n');
  return lines.map((line, index) => {
    const label = line.trim();
    if (/^\d{1,3}$/.test(label)) return Number(label);
    throw bad(`${name}, line ${index + 1}: expected the index of an answer, got ${shown(label)}`);
  });
}

function textOf(file: File, task: TaskOptions): Promise<string> {
  const tooLong = (): LabError => bad(`${file.name}: expected at most ${mostCharacters} characters, got more`);
  return wholeText(file, mostCharacters, tooLong, task);
}

function bad(what: string): LabError {
  return new LabError(
    'bad-source',
    `${what}.`,
    'Give a .json list or a .jsonl file of questions, such as {"context": "…", "choices": ["…", "…"], "label": 0}.',
  );
}

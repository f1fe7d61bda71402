/** @file Instructions from outside: pasted JSON or JSON Lines, and .json, .jsonl and .parquet files with the columns of Alpaca's data. */
import { LabError } from '../errors';
import { parseJson } from '../io/json';
import type { TaskOptions } from '../task';
import { wholeText } from '../text/readers/lines';
import { type ByteSource, fileSource, parquetColumn, parquetColumns } from '../text/readers/parquet';
import { checkInstruction, checkInstructions, type Instruction, mostInstructions } from './alpaca';

/** Characters of a text with instructions: Alpaca's 52,000 pairs have 22 million. */
export const mostCharacters = 2 ** 26;

/** @throws LabError 'bad-argument' that names the first bad pair, 'bad-source' for a file that cannot be read */
export async function readInstructions(source: string | File, task: TaskOptions = {}): Promise<Instruction[]> {
  if (typeof source === 'string') return parseInstructions(source, 'instructions');
  const name = source.name.toLowerCase().replace(/\.gz$/, '');
  if (name.endsWith('.parquet')) return parquetInstructions(fileSource(source), task);
  if (/\.(json|jsonl|ndjson)$/.test(name))
    return parseInstructions(await wholeText(source, mostCharacters, () => tooLong(source.name), task), source.name);
  throw new LabError(
    'bad-source',
    `${source.name}: expected a .json, .jsonl or .parquet file.`,
    'Save the pairs as JSON: [{"instruction": "…", "input": "…", "output": "…"}, …].',
  );
}

/** A JSON list of pairs, or one pair a line. */
function parseInstructions(text: string, file: string): Instruction[] {
  if (text.length > mostCharacters) throw tooLong(file);
  if (text.trimStart().startsWith('[')) return checkInstructions(parseJson(text, file, 'bad-argument'));
  const pairs: Instruction[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const where = `line ${index + 1}`;
    if (pairs.length === mostInstructions) return checkInstructions([...pairs, line]);
    pairs.push(checkInstruction(parseJson(line, `${file}, ${where}`, 'bad-argument'), where));
  }
  return checkInstructions(pairs);
}

/** The rows of the columns `instruction`, `output` and, where there is one, `input`; as many as fit the bound of a text. */
async function parquetInstructions(source: ByteSource, task: TaskOptions = {}): Promise<Instruction[]> {
  const { pairs } = await parquetPairs(source, await parquetColumns(source, task), task);
  return checkInstructions(pairs);
}

/** The first pairs of a file. */
export interface FirstPairs {
  readonly pairs: readonly Instruction[];
  /** False: the file goes on. */
  readonly complete: boolean;
}

/**
 * The same rows, not checked; without the columns `instruction` and `output` it throws 'bad-source'.
 * @param columns names of the file's columns
 * @param rows most pairs
 */
export async function parquetPairs(
  source: ByteSource,
  columns: readonly string[],
  { rows = mostInstructions, ...task }: TaskOptions & { readonly rows?: number } = {},
): Promise<FirstPairs> {
  const read = (column: string) => parquetColumn(source, { ...task, column }, rows);
  const instruction = await read('instruction');
  const output = await read('output');
  const input = columns.includes('input') ? await read('input') : null;
  const all = [instruction, output, ...(input ? [input] : [])];
  const count = Math.min(...all.map(({ texts }) => texts.length));
  return {
    pairs: Array.from({ length: count }, (_, row) => ({
      instruction: instruction.texts[row]!,
      input: input?.texts[row] ?? '',
      output: output.texts[row]!,
    })),
    complete: all.every(({ complete }) => complete),
  };
}

function tooLong(file: string): LabError {
  return new LabError(
    'bad-source',
    `${file}: expected at most ${mostCharacters} characters of instructions, got more.`,
    'Take fewer pairs, or a .parquet file, of which the first rows are read.',
  );
}

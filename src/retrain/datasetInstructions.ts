/** @file Instruction pairs of a data set on the Hugging Face Hub, pinned to one commit: of its parquet, JSON Lines or JSON files. */
import { LabError, throwIfAborted } from '../errors';
import { parseJson } from '../io/json';
import { isObject } from '../io/schema';
import { missingFile } from '../shards/sources/sourceErrors';
import { type HubDataset, type HubDatasetOptions, openHubDataset } from '../text/hubDataset';
import { type ByteSource, parquetColumns } from '../text/readers/parquet';
import { checkInstruction, type Instruction, mostInstructions } from './alpaca';
import { datasetName, pairFiles, stem } from './datasetName';
import { type FirstPairs, mostCharacters, parquetPairs } from './readInstructions';

/** A data set whose rows have the fields `instruction`, `output` and, where there is one, `input`. */
export interface InstructionDataset {
  /** 'owner/name', 'owner/name@revision', or the address of its page. */
  dataset: string;
  /** Branch, tag or commit; by default 'main', or the Hub's own conversion to parquet where 'main' has no file that can be read. */
  revision?: string;
  /** Path of the one file to read; by default the files of the split. */
  file?: string;
  /** By default 'train', or all files where no path names that. */
  split?: string;
  /** Most pairs, from the first on; 100,000 unless told. */
  rows?: number;
}

export interface DatasetInstructions {
  pairs: Instruction[];
  /** 'hf:owner/name@commit/path', as a recipe tells it: `instructionsFrom` of `lab.retrain`. */
  source: string;
  /** The commit. */
  revision: string;
  /** False: the data set goes on behind the last pair. */
  complete: boolean;
}

/** Where the Hub keeps its own conversion of a data set. */
const converted = 'refs/convert/parquet';
/** JSON comes in ranges of so many bytes. */
const rangeBytes = 2 ** 22;

/**
 * Fetches the first pairs of a data set: as many as fit `rows` and the bound of a text.
 * @throws LabError 'bad-argument' for a name that is none, 'missing-file', 'gated', 'network', 'aborted', 'bad-source' for a data set
 * without such columns
 */
export async function datasetInstructions(
  asked: InstructionDataset,
  options: HubDatasetOptions = {},
): Promise<DatasetInstructions> {
  const { repository, revision: named } = datasetName(asked.dataset);
  const revision = asked.revision ?? named ?? undefined;
  const { dataset, files } = await filesOf(repository, { ...asked, revision }, options);
  const label = `${repository}@${dataset.sha}`;
  const rows = Math.min(asked.rows ?? mostInstructions, mostInstructions);
  const pairs: Instruction[] = [];
  let room = mostCharacters;
  let read = 0;
  let complete = true;
  for (const file of files) {
    const found = await pairsOf(dataset.open(file), rows - pairs.length, label, options);
    read += 1;
    for (const pair of found.pairs) pairs.push(pair);
    room -= found.pairs.reduce((sum, { input = '', ...pair }) => sum + sizeOf({ ...pair, input }), 0);
    complete = found.complete;
    if (!complete || pairs.length >= rows || room <= 0) break;
  }
  if (pairs.length === 0) {
    throw new LabError('bad-source', `${label}: ${files[0]!.name} has no rows.`, 'Choose another data set.');
  }
  const [first] = files;
  const path = read === 1 ? first!.name : `${stem(first!.name)}*`;
  return {
    ...{ pairs, source: `hf:${label}/${path}`, revision: dataset.sha },
    complete: complete && read === files.length,
  };
}

const sizeOf = ({ instruction, input, output }: Required<Instruction>): number =>
  instruction.length + input.length + output.length;

interface Found {
  readonly dataset: HubDataset;
  readonly files: ReturnType<typeof pairFiles>;
}

async function filesOf(
  repository: string,
  { revision, file, split }: Pick<InstructionDataset, 'file' | 'split'> & { revision: string | undefined },
  options: HubDatasetOptions,
): Promise<Found> {
  const open = (at: string): Promise<HubDataset> =>
    openHubDataset({ repository, revision: at }, repository, options).catch((thrown: unknown) => {
      throw thrown instanceof LabError && thrown.code === 'gated' ? closed(thrown) : thrown;
    });
  const dataset = await open(revision ?? 'main');
  const label = `${repository}@${dataset.sha}`;
  const of = ({ siblings }: HubDataset) =>
    file === undefined
      ? pairFiles(siblings, split)
      : pairFiles(
          siblings.filter(({ rfilename }) => rfilename === file),
          undefined,
        );
  const files = of(dataset);
  if (files.length > 0) return { dataset, files };
  if (file !== undefined) {
    if (!dataset.siblings.some(({ rfilename }) => rfilename === file)) throw missingFile(file, label);
    throw new LabError(
      'bad-source',
      `${label}: ${file}: expected a .parquet, .jsonl or .json file that is not empty.`,
      'Name another file.',
    );
  }
  const other = revision === undefined ? await conversion(open) : null;
  const convertedFiles = other ? of(other) : [];
  if (other && convertedFiles.length > 0) return { dataset: other, files: convertedFiles };
  throw new LabError(
    'missing-file',
    `${label}: expected .parquet, .jsonl or .json files${split === undefined ? '' : ` of the split '${split}'`}, found none.`,
    'Name one of its files, or choose another data set.',
  );
}

/** The Hub's conversion; null for a data set that has none. */
async function conversion(open: (revision: string) => Promise<HubDataset>): Promise<HubDataset | null> {
  try {
    return await open(converted);
  } catch (thrown) {
    if (thrown instanceof LabError && thrown.code === 'missing-file') return null;
    throw thrown;
  }
}

/** The page sends no token for data sets. */
function closed(cause: LabError): LabError {
  return new LabError(
    'gated',
    cause.message,
    'Check the name. For a gated data set, accept its conditions at huggingface.co, download its file and choose the file here.',
    { cause },
  );
}

async function pairsOf(
  source: ByteSource,
  rows: number,
  label: string,
  options: HubDatasetOptions,
): Promise<FirstPairs> {
  const { signal } = options;
  try {
    if (!/\.parquet$/i.test(source.name)) return await jsonPairs(source, rows, label, signal);
    const columns = await parquetColumns(source, { signal });
    refuseOthers(columns, source.name, label);
    return await parquetPairs(source, columns, { rows, signal });
  } catch (thrown) {
    throw thrown instanceof LabError && thrown.code === 'gated' ? closed(thrown) : thrown;
  }
}

function refuseOthers(fields: readonly string[], file: string, label: string): void {
  if (fields.includes('instruction') && fields.includes('output')) return;
  throw new LabError(
    'bad-source',
    `${label}: expected the columns instruction and output in ${file}, got ${fields.join(', ').slice(0, 200) || 'none'}.`,
    'Choose a data set with the columns of Alpaca’s, such as tatsu-lab/alpaca.',
  );
}

/** A list of pairs, which is read whole, or one pair a line, of which the first lines are read. */
async function jsonPairs(
  source: ByteSource,
  rows: number,
  label: string,
  signal: AbortSignal | undefined,
): Promise<FirstPairs> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let at = 0;
  let lines = 0;
  let isList = false;
  while (at < source.size) {
    const end = Math.min(at + rangeBytes, source.size);
    const part = decoded(decoder, await source.slice(at, end, signal), end < source.size, source.name);
    throwIfAborted(signal, 'The load');
    if (at === 0) {
      isList = part.trimStart().startsWith('[');
      if (isList && source.size > mostCharacters) throw tooLarge(source);
    }
    text += part;
    at = end;
    for (let line = part.indexOf('\n'); line >= 0; line = part.indexOf('\n', line + 1)) lines += 1;
    if (!isList && (lines > rows || text.length > mostCharacters)) break;
  }
  if (isList) return listPairs(parseJson(text, source.name, 'bad-source'), rows, source.name, label);
  const cut = at < source.size;
  return linePairs(cut ? text.slice(0, text.lastIndexOf('\n') + 1) : text, rows, cut, source.name, label);
}

function listPairs(list: unknown, rows: number, file: string, label: string): FirstPairs {
  const all: readonly unknown[] = Array.isArray(list) ? list : [];
  refuseFirst(all[0], file, label);
  return {
    pairs: all.slice(0, rows).map((each, index) => checkInstruction(each, `${file}, pair ${index + 1}`)),
    complete: all.length <= rows,
  };
}

function linePairs(text: string, rows: number, cut: boolean, file: string, label: string): FirstPairs {
  const pairs: Instruction[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    if (pairs.length === rows) return { pairs, complete: false };
    const where = `${file}, line ${index + 1}`;
    const value = parseJson(line, where, 'bad-source');
    if (pairs.length === 0) refuseFirst(value, file, label);
    pairs.push(checkInstruction(value, where));
  }
  return { pairs, complete: !cut };
}

/** The first row tells the fields of all. */
function refuseFirst(value: unknown, file: string, label: string): void {
  if (value !== undefined) refuseOthers(isObject(value) ? Object.keys(value) : [], file, label);
}

function decoded(decoder: TextDecoder, bytes: ArrayBuffer, stream: boolean, file: string): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch (cause) {
    throw new LabError('bad-source', `${file}: expected UTF-8 text, got other bytes.`, 'Choose another file.', {
      cause,
    });
  }
}

function tooLarge({ name, size }: ByteSource): LabError {
  return new LabError(
    'bad-source',
    `${name}: expected a JSON list of at most ${mostCharacters} bytes, got ${size}.`,
    `Name a .jsonl or .parquet file, of which the first rows are read, or the revision '${converted}'.`,
  );
}

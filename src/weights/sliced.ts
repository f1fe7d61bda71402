/**
 * @file Rows and columns of a parent's weights, which width pruning keeps. Consecutive whole rows are a byte range of the
 * parent's file; other selections are gathered when they are read, each as a file of its own. Values are copied bit by bit.
 */
import { LabError, throwIfAborted } from '../errors';
import { hashText } from '../io/hash';
import type { LayerRole } from '../model/shape';
import { bytesPerElement, ownerOf, partOfTensor, placeOf, type TensorRef, type WeightSource } from '../model/weights';

/** Which part of a weight stays. Rows of a vector are its elements. Indices ascend; all stay where a list is absent. */
export interface Cut {
  readonly role: LayerRole;
  /** `LayerShape.source` */
  readonly source: number;
  readonly rows?: readonly number[];
  readonly columns?: readonly number[];
}

/** A part that has to be gathered. */
interface Gathered {
  readonly ref: TensorRef;
  readonly parent: TensorRef;
  readonly rows: readonly number[];
  /** Runs of consecutive columns, as bytes of a row of the parent. */
  readonly runs: readonly { readonly begin: number; readonly end: number }[];
  readonly rowBytes: number;
}

/** Bytes of the parent that are read at a time, and of one part of a gathered file. */
const pieceBytes = 2 ** 24;

/** The parent's weights; the cuts keep parts of them. Throws 'bad-argument' for indices that a weight lacks. */
export function sliced(parent: WeightSource, cuts: readonly Cut[]): WeightSource {
  const refs = new Map<string, TensorRef>();
  const gathered = new Map<string, Gathered>();
  for (const cut of cuts) {
    const whole = parent.layerTensor(cut.role, cut.source);
    const [height, width = 1] = whole.dims as [number, number?];
    const rows = cut.rows ?? range(height);
    const columns = cut.columns ?? range(width);
    check(cut, 'rows', rows, height);
    check(cut, 'columns', columns, width);
    const dims = whole.dims.length === 1 ? [rows.length] : [rows.length, columns.length];
    const size = bytesPerElement[whole.dtype];
    const key = keyOf(cut.role, cut.source);
    if (columns.length === width && isRun(rows)) {
      const begin = rows[0]! * width * size;
      const part = partOfTensor(whole, begin, begin + rows.length * width * size);
      // Another name: facts about the whole tensor may not hold for its part.
      const name = `${whole.name}[rows ${rows[0]} to ${rows.at(-1)}]`;
      refs.set(key, rows.length === height ? whole : { ...part, name, dims });
      continue;
    }
    // Equal parts of equal bytes have one name, so that they are uploaded once.
    const file = `part-${hashText(JSON.stringify([placeOf(whole), rows, columns]))}.bin`;
    const rowBytes = columns.length * size;
    const ref = { ...whole, name: `${whole.name}[part]`, dims, file, begin: 0, end: rows.length * rowBytes };
    refs.set(key, ref);
    gathered.set(file, { ref, parent: whole, rows, runs: runsOf(columns, size), rowBytes });
  }

  /** Rows first … last − 1 of a gathered part. */
  const gather = async (part: Gathered, first: number, last: number, signal?: AbortSignal) => {
    const out = new Uint8Array((last - first) * part.rowBytes);
    const parentRow = (part.parent.end - part.parent.begin) / part.parent.dims[0]!;
    let at = 0;
    for (let row = first; row < last; ) {
      throwIfAborted(signal, 'Gathering weights');
      let next = row + 1;
      while (
        next < last &&
        part.rows[next] === part.rows[row]! + next - row &&
        (next + 1 - row) * parentRow <= pieceBytes
      ) {
        next += 1;
      }
      const begin = part.rows[row]! * parentRow;
      const bytes = await parent.read(partOfTensor(part.parent, begin, begin + (next - row) * parentRow), signal);
      for (let start = 0; start < bytes.length; start += parentRow) {
        for (const run of part.runs) {
          out.set(bytes.subarray(start + run.begin, start + run.end), at);
          at += run.end - run.begin;
        }
      }
      row = next;
    }
    return out;
  };

  const files = new Map<string, Blob>();
  const fileOf = async (part: Gathered, signal?: AbortSignal): Promise<Blob> => {
    const step = Math.max(1, Math.floor(pieceBytes / part.rowBytes));
    const parts: Blob[] = [];
    for (let row = 0; row < part.rows.length; row += step) {
      // A Blob each: the browser may move it out of the heap while the next rows are read.
      parts.push(new Blob([await gather(part, row, Math.min(part.rows.length, row + step), signal)]));
    }
    return new Blob(parts);
  };

  const source: WeightSource = {
    layerTensor: (role, layer) => refs.get(keyOf(role, layer)) ?? parent.layerTensor(role, layer),
    modelTensor: (role) => parent.modelTensor(role),
    owner: (ref) => (gathered.has(ref.file) ? source : ownerOf(parent, ref)),
    async read(ref, signal) {
      const part = gathered.get(ref.file);
      if (!part) return parent.read(ref, signal);
      const first = Math.floor(ref.begin / part.rowBytes);
      const rows = await gather(part, first, Math.ceil(ref.end / part.rowBytes), signal);
      const from = ref.begin - first * part.rowBytes;
      return rows.slice(from, from + ref.end - ref.begin);
    },
    async file(name, signal) {
      const part = gathered.get(name);
      if (!part) return parent.file(name, signal);
      const blob = files.get(name) ?? (await fileOf(part, signal));
      files.set(name, blob);
      return blob;
    },
  };
  return source;
}

const keyOf = (role: LayerRole, source: number): string => `${source} ${role}`;
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const isRun = (indices: readonly number[]): boolean => indices.at(-1)! - indices[0]! === indices.length - 1;

function runsOf(columns: readonly number[], size: number): { begin: number; end: number }[] {
  const runs: { begin: number; end: number }[] = [];
  for (const column of columns) {
    const last = runs.at(-1);
    if (last?.end === column * size) last.end += size;
    else runs.push({ begin: column * size, end: (column + 1) * size });
  }
  return runs;
}

function check({ role, source }: Cut, axis: 'rows' | 'columns', indices: readonly number[], count: number): void {
  const ascending = indices.every(
    (index, at) => Number.isInteger(index) && index >= 0 && (at === 0 || index > indices[at - 1]!),
  );
  if (indices.length > 0 && ascending && indices.at(-1)! < count) return;
  throw new LabError(
    'bad-argument',
    `${axis} of ${role} of block ${source}: expected one or more ascending indices from 0 to ${count - 1}, got ${indices.length > 8 ? `${indices.length} of them` : `[${indices.join(', ')}]`}.`,
    'Name each row or column that stays once, in ascending order.',
  );
}

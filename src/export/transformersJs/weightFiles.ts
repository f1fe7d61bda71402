/** @file Files of weights beside a graph. Where each tensor lies is known before any is read; bytes are converted while they are written. */
import { throwIfAborted } from '../../errors';
import type { ModelShape } from '../../model/shape';
import { bytesPerElement, partOfTensor, placeOf, type TensorRef, type WeightSource } from '../../model/weights';
import { converted } from '../../weights/converted';
import { tensorsOf } from '../../weights/tensorsOf';
import { type ExportedFile, pieceBytes } from '../exported';
import { mostFileBytes } from './limits';

/** Runtimes that map a file into memory want tensors at page bounds. */
const alignment = 4096;

/** A tensor of the variant and where it goes. */
interface Placed {
  readonly from: TensorRef;
  readonly to: TensorRef & { readonly dtype: 'F32' | 'F16' };
}

export interface WeightFiles {
  /** The weights at their places in the files. */
  readonly weights: WeightSource;
  readonly files: readonly ExportedFile[];
}

/**
 * The weights that a shape uses, matrices in `matrices` and vectors as F32, in the files `folder`/`name`, `name`_1, `name`_2, … of at
 * most `largest` bytes, or of one tensor.
 */
export function weightFiles(
  shape: ModelShape,
  weights: WeightSource,
  matrices: 'F32' | 'F16',
  { folder, name, largest = mostFileBytes }: { folder: string; name: string; largest?: number },
): WeightFiles {
  const files: Placed[][] = [];
  let end = Number.POSITIVE_INFINITY;
  for (const from of tensorsOf(shape, weights)) {
    const dtype = from.dims.length === 2 ? matrices : 'F32';
    const bytes = ((from.end - from.begin) / bytesPerElement[from.dtype]) * bytesPerElement[dtype];
    let begin = Math.ceil(end / alignment) * alignment;
    if (begin + bytes > largest) {
      files.push([]);
      begin = 0;
    }
    end = begin + bytes;
    const file = files.length === 1 ? name : `${name}_${files.length - 1}`;
    files.at(-1)!.push({ from, to: { ...from, dtype, file, begin, end } });
  }
  const places = new Map(files.flat().map(({ from, to }) => [placeOf(from), to]));
  const place = (ref: TensorRef): TensorRef => places.get(placeOf(ref))!;
  const written = files.map((tensors) => writtenFile(`${folder}/${tensors[0]!.to.file}`, tensors, weights));
  const placed: WeightSource = {
    layerTensor: (role, layer) => place(weights.layerTensor(role, layer)),
    modelTensor: (role) => place(weights.modelTensor(role)),
    async file(wanted, signal) {
      const file = written[files.findIndex((tensors) => tensors[0]!.to.file === wanted)]!;
      const parts: Blob[] = [];
      for await (const piece of file.pieces(signal)) parts.push(new Blob([piece]));
      return new Blob(parts);
    },
    async read({ file, begin, end: last }, signal) {
      return new Uint8Array(await (await placed.file(file, signal)).slice(begin, last).arrayBuffer());
    },
  };
  return { weights: placed, files: written };
}

function writtenFile(path: string, tensors: readonly Placed[], weights: WeightSource): ExportedFile {
  return {
    path,
    type: 'application/octet-stream',
    bytes: tensors.at(-1)!.to.end,
    async *pieces(signal) {
      let at = 0;
      for (const { from, to } of tensors) {
        if (to.begin > at) yield new Uint8Array(to.begin - at);
        yield* tensorPieces(from, to.dtype, weights, signal);
        at = to.end;
      }
    },
  };
}

async function* tensorPieces(
  ref: TensorRef,
  dtype: 'F32' | 'F16',
  weights: WeightSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const size = bytesPerElement[ref.dtype];
  const step = (pieceBytes / 4) * size; // at most four bytes an element, in and out
  for (let begin = 0; begin < ref.end - ref.begin; begin += step) {
    throwIfAborted(signal, 'The export');
    const part = partOfTensor(ref, begin, Math.min(begin + step, ref.end - ref.begin));
    yield converted(await weights.read(part, signal), ref.dtype, dtype, ref.name);
  }
}

/** @file Writes a variant as one GGUF file. The header is made at once; weights are read and converted when the file is read. */
import { LabError } from '../../errors';
import type { ModelShape } from '../../model/shape';
import type { WeightSource } from '../../model/weights';
import type { ExportDtype, ExportedFile, ExportOptions, ExportSource } from '../exported';
import { aligned, bytesOf, elementsOf, type GgufPairs, header, type TensorType } from './container';
import { type GgufLayout, isRefusal, layoutOf } from './layout';
import { facts, sizes } from './metadata';
import { filePieces } from './pieces';
import { ggufTensors } from './tensors';
import { vocabularyPairs } from './vocabulary';

const matrixTypes: Readonly<Record<ExportDtype, TensorType>> = { f32: 'F32', f16: 'F16', q8_0: 'Q8_0' };

/** @throws LabError 'not-available' where llama.cpp does not compute the variant or its tokenizer, 'bad-tokenizer' */
export default async function write(source: ExportSource, options: ExportOptions): Promise<readonly ExportedFile[]> {
  const { dtype = 'f16' } = options;
  const { shape, weights } = source.view;
  const layout = layoutOf(shape);
  if (isRefusal(layout)) throw new LabError('not-available', layout.message, layout.remedy);
  const pairs = [
    ...facts(source, layout, dtype),
    ...sizes(shape, layout),
    ...(await vocabularyPairs((file) => source.text(file), shape.vocab, source.endsOfText)),
  ];
  return [ggufFile(`${fileName(source.name)}-${dtype}.gguf`, pairs, { shape, weights, layout, dtype })];
}

export interface GgufContent {
  readonly shape: ModelShape;
  readonly weights: WeightSource;
  readonly layout: GgufLayout;
  readonly dtype: ExportDtype;
}

/** A GGUF file of these pairs and of all tensors of a layout. */
export function ggufFile(path: string, pairs: GgufPairs, { shape, weights, layout, dtype }: GgufContent): ExportedFile {
  const tensors = ggufTensors(shape, layout, weights, matrixTypes[dtype]);
  const head = header(pairs, tensors);
  const bytes = tensors.reduce((sum, each) => sum + aligned(bytesOf(elementsOf(each), each.type)), head.byteLength);
  return {
    ...{ path, bytes, type: 'application/octet-stream' },
    pieces: (signal) => filePieces(head, tensors, weights, signal),
  };
}

/** A variant's name as a file's: letters, digits, dots and hyphens. */
function fileName(name: string): string {
  const plain = name.normalize('NFKD').replace(/[^A-Za-z0-9.]+/g, '-');
  return plain.replace(/^[-.]+|[-.]+$/g, '').slice(0, 80) || 'model';
}

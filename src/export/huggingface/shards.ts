/** @file safetensors files, as many as the size of one allows, whose bytes are made while they are read. */
import { throwIfAborted } from '../../errors';
import { type ExportedFile, pieceBytes } from '../exported';
import { jsonFile } from '../files';
import type { WrittenTensor } from './tensors';

/** Most bytes of tensors in one file, as `save_pretrained` of transformers cuts them. */
export const shardBytes = 5e9;

const type = 'application/octet-stream';

/** `model.safetensors`, or shards with their index. A tensor larger than `most` bytes gets a shard of its own. */
export function shardFiles(tensors: readonly WrittenTensor[], most = shardBytes): ExportedFile[] {
  const shards = shardsOf(tensors, most);
  const [only] = shards;
  if (only !== undefined && shards.length === 1) return [safetensorsFile('model.safetensors', only)];
  const padded = (index: number): string => String(index).padStart(5, '0');
  const nameOf = (index: number): string => `model-${padded(index + 1)}-of-${padded(shards.length)}.safetensors`;
  const map = shards.flatMap((shard, index) => shard.map(({ name }) => [name, nameOf(index)] as const));
  const total = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    ...shards.map((shard, index) => safetensorsFile(nameOf(index), shard)),
    jsonFile('model.safetensors.index.json', {
      metadata: { total_size: total },
      weight_map: Object.fromEntries(map),
    }),
  ];
}

function shardsOf(tensors: readonly WrittenTensor[], most: number): WrittenTensor[][] {
  const shards: WrittenTensor[][] = [];
  let held = 0;
  for (const tensor of tensors) {
    const last = shards.at(-1);
    if (last !== undefined && held + tensor.bytes <= most) {
      last.push(tensor);
      held += tensor.bytes;
    } else {
      shards.push([tensor]);
      held = tensor.bytes;
    }
  }
  return shards;
}

/** Wider elements go first and the header is padded to 8 bytes, so that every tensor starts aligned. */
const width: Readonly<Record<WrittenTensor['dtype'], number>> = { F32: 4, F16: 2, BF16: 2 };

/** One safetensors file. PyTorch's loaders want `format` in its metadata. */
export function safetensorsFile(path: string, tensors: readonly WrittenTensor[]): ExportedFile {
  const ordered = tensors.toSorted((a, b) => width[b.dtype] - width[a.dtype]);
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const { name, dtype, dims, bytes } of ordered) {
    header[name] = { dtype, shape: dims, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const front = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(front.buffer).setBigUint64(0, BigInt(front.length - 8), true);
  front.set(json, 8);
  return {
    path,
    type,
    bytes: front.length + end,
    async *pieces(signal) {
      for (let at = 0; at < front.length; at += pieceBytes) yield front.slice(at, at + pieceBytes);
      for (const tensor of ordered) {
        for (let at = 0; at < tensor.bytes; at += pieceBytes) {
          throwIfAborted(signal, 'The export');
          yield await tensor.read(at, Math.min(tensor.bytes, at + pieceBytes), signal);
        }
      }
    },
  };
}

/** @file Written weights on their way from the GPU back to their view: in pieces, like the uploads. */
import { layerWeightDims, type ModelShape } from '../../model/shape';
import type { WrittenPiece } from '../../model/view';
import { bytesPerElement } from '../../model/weights';
import type { BlockLayout } from './blockLayout';
import type { BlockTransfer } from './blockTransfer';

/** Bytes that are read back at a time; whole elements of every type. */
const usualPieceBytes = 2 ** 24;

/** The weights of a block, role by role in the order of its parts, each role from its first byte to its last. */
export async function* writtenPieces(
  shape: ModelShape,
  layout: BlockLayout,
  buffers: readonly GPUBuffer[],
  transfer: Pick<BlockTransfer, 'read'>,
  pieceBytes = usualPieceBytes,
): AsyncGenerator<WrittenPiece> {
  for (const [index, { roles, dtype }] of layout.parts.entries()) {
    let first = 0;
    for (const role of roles) {
      const dims = layerWeightDims(shape, layout.shape, role);
      const total = dims.reduce((product, dim) => product * dim, bytesPerElement[dtype]);
      for (let begin = 0; begin < total; begin += pieceBytes) {
        const count = Math.min(pieceBytes, total - begin);
        const bytes = await transfer.read(buffers[index]!, first + begin, count);
        yield { role, dtype, dims, begin, bytes };
      }
      first += total;
    }
  }
}

/** @file Keyboard navigation on the strip of sub-blocks. Pure. */
import type { SubBlock } from '../../lab/page/subBlocks';

/** The sub-block that a key moves to; the same one at the border; null for other keys. */
export function walked({ block, part }: SubBlock, key: string, layers: number): SubBlock | null {
  switch (key) {
    case 'ArrowLeft':
      return { block: Math.max(0, block - 1), part };
    case 'ArrowRight':
      return { block: Math.min(layers - 1, block + 1), part };
    case 'ArrowUp':
      return { block, part: 'attention' };
    case 'ArrowDown':
      return { block, part: 'mlp' };
    case 'Home':
      return { block: 0, part };
    case 'End':
      return { block: layers - 1, part };
    default:
      return null;
  }
}

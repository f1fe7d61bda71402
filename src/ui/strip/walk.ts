/** @file Where an arrow key leads on the strip of halves. Pure. */
import type { SubBlock } from '../../lab/page/subBlocks';

/** The half that a key moves to, at the border the same one; null for keys that do not move. */
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

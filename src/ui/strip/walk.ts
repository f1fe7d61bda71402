/** @file Where an arrow key moves the focus on the strip of sub-blocks. Pure. */
import type { SubBlock } from '../../model/unit';

/** The sub-block that a key moves to, the same one at the border; null for keys that do not move. */
export function walked({ layer, kind }: SubBlock, key: string, layers: number): SubBlock | null {
  switch (key) {
    case 'ArrowLeft':
      return { layer: Math.max(0, layer - 1), kind };
    case 'ArrowRight':
      return { layer: Math.min(layers - 1, layer + 1), kind };
    case 'ArrowUp':
      return { layer, kind: 'attention' };
    case 'ArrowDown':
      return { layer, kind: 'mlp' };
    case 'Home':
      return { layer: 0, kind };
    case 'End':
      return { layer: layers - 1, kind };
    default:
      return null;
  }
}

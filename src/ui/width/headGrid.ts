/** @file How the heads of a block are laid out on the strip, and where the arrow keys move among them. Pure. */

export interface HeadGrid {
  /** Units (KV groups, or single heads) side by side. */
  readonly columns: number;
  /** Heads of a unit side by side. */
  readonly perRow: number;
}

/** Width of the strip's columns on a desktop, CSS pixels, and the least width of a head. */
const stripWidth = 690;
const leastHead = { wide: 10, narrow: 3.2 } as const;

/** The layout of `units` units with `heads` query heads each in a strip of so many blocks. */
export function headGrid(units: number, heads: number, blocks: number, narrow: boolean): HeadGrid {
  const width = stripWidth / blocks;
  const perRow = narrow ? Math.min(heads, 4) : Math.ceil(Math.sqrt(heads / 2));
  const least = perRow * (narrow ? leastHead.narrow : leastHead.wide) + (narrow || heads === 1 ? 0 : 8);
  const most = Math.max(1, Math.min(units, Math.floor(width / least), Math.ceil(Math.sqrt(units * 2))));
  const even = Array.from({ length: most }, (_, index) => most - index).find((columns) => units % columns === 0) ?? 1;
  return { columns: even * 2 >= most ? even : most, perRow };
}

/** A place on the strip: a head unit of a block, or its MLP. */
export interface Place {
  readonly block: number;
  /** Position of the unit; 'mlp' for the MLP. */
  readonly unit: number | 'mlp';
}

/** What the arrow keys need to know of a block: no units where its attention or all of it is removed. */
export interface Walkable {
  readonly units: number;
  readonly columns: number;
}

/** The place that a key moves to, the same one at the border; null for keys that do not move. */
export function walkedPlace({ block, unit }: Place, key: string, blocks: readonly Walkable[]): Place | null {
  const last = blocks.length - 1;
  /** The unit at a row and a column of a block, or what comes nearest. */
  const into = (target: number, row: number, fromLeft: boolean): Place => {
    const { units, columns } = blocks[target]!;
    const start = Math.min(row, Math.max(0, Math.ceil(units / columns) - 1)) * columns;
    const end = Math.min(start + columns, units) - 1;
    return { block: target, unit: Math.max(0, fromLeft ? start : end) };
  };
  if (key === 'Home' || key === 'End') {
    const target = key === 'Home' ? 0 : last;
    return unit === 'mlp' ? { block: target, unit } : into(target, 0, true);
  }
  if (!/^Arrow/.test(key)) return null;
  const { units, columns } = blocks[block]!;
  if (unit === 'mlp') {
    if (key === 'ArrowUp')
      return { block, unit: Math.max(0, units - columns + ((columns - (units % columns)) % columns)) };
    const target =
      key === 'ArrowLeft' ? Math.max(0, block - 1) : key === 'ArrowRight' ? Math.min(last, block + 1) : block;
    return { block: target, unit };
  }
  const row = Math.floor(unit / columns);
  switch (key) {
    case 'ArrowLeft':
      return unit % columns > 0 ? { block, unit: unit - 1 } : block > 0 ? into(block - 1, row, false) : { block, unit };
    case 'ArrowRight':
      if (unit % columns < columns - 1 && unit + 1 < units) return { block, unit: unit + 1 };
      return block < last ? into(block + 1, row, true) : { block, unit };
    case 'ArrowUp':
      return { block, unit: unit >= columns ? unit - columns : unit };
    default:
      return { block, unit: unit + columns < units ? unit + columns : 'mlp' };
  }
}

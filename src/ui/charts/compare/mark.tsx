/**
 * @file The mark of a variant, told by shape and by colour: grey square for the base, green circle for depth, violet diamond
 * for width, dark triangle for both. A hollow mark is a variant before its repair.
 */
import type { Look } from './variantPoints';

interface Props extends Look {
  x: number;
  y: number;
}

export function Mark({ kind, filled, x, y }: Props) {
  const className = `mark-${kind}${filled ? '' : ' mark-hollow'}`;
  if (kind === 'base') return <rect className={className} x={x - 5.5} y={y - 5.5} width={11} height={11} rx={1.5} />;
  if (kind === 'width') return <path className={className} d={`M${x} ${y - 7.5}l7 7.5-7 7.5-7-7.5z`} />;
  if (kind === 'mixed') return <path className={className} d={`M${x} ${y - 7.5}l7 12.5h-14z`} />;
  return <circle className={className} cx={x} cy={y} r={6} />;
}

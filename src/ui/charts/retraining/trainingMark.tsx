/** @file The mark of a training, told by shape and by colour. */
import type { Training } from '../../../report/retrained';

interface Props {
  training: Training;
  x: number;
  y: number;
}

export function TrainingMark({ training, x, y }: Props) {
  const className = `retrained-mark retrained-${classOf(training)}`;
  if (training === 'pruned') return <path className={className} d={`M${x - 6} ${y - 6}l12 12m0-12l-12 12`} />;
  if (training === 'lora') return <path className={className} d={`M${x} ${y - 8}l7.5 8-7.5 8-7.5-8z`} />;
  if (training === 'full+lora') {
    return <rect className={className} x={x - 6} y={y - 6} width={12} height={12} rx={2} />;
  }
  if (training === 'distill') return <path className={className} d={`M${x} ${y - 8}l7.8 13.5h-15.6z`} />;
  return <circle className={className} cx={x} cy={y} r={6.8} />;
}

export const classOf = (training: Training): string => training.replace('+', '-');

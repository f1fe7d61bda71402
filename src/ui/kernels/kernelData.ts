/** @file Prepares measurements for the kernels panel. Pure. */
import type { ProfileResult, TuningInfo } from '../../lab/contract/types';
import { plural } from '../parts/format';

type TunedClass = TuningInfo['classes'][number];
type ProfiledKernel = ProfileResult['kernels'][number];

/** Display names of operations, in the order of a forward and backward pass. */
export const operationNames: Readonly<Record<TunedClass['operation'], string>> = {
  linear: 'Linear layers',
  swiglu: 'Gate and up with SwiGLU',
  headPartials: 'Head with the loss',
  headGradient: 'Head, gradient of the loss',
  linearInputGradient: 'Linear layers, input gradient',
  weightSalience: 'Weight gradient with salience',
};

/** Measured classes of one operation. */
export interface OperationGroup {
  readonly operation: TunedClass['operation'];
  readonly classes: readonly TunedClass[];
  /** Tiles that were tried for any of the classes, in the engine's order. */
  readonly tiles: readonly string[];
  /** '16x8 for 11 shapes, 4x8 for 1 shape'. */
  readonly chosen: string;
}

export function operationGroups(classes: readonly TunedClass[]): OperationGroup[] {
  const operations = Object.keys(operationNames) as TunedClass['operation'][];
  return operations.flatMap((operation) => {
    const own = classes.filter((one) => one.operation === operation);
    if (own.length === 0) return [];
    const counts = new Map<string, number>();
    for (const { tile } of own) counts.set(tile, (counts.get(tile) ?? 0) + 1);
    const chosen = [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([tile, count]) => `${tile} for ${plural(count, 'shape')}`);
    const tiles = [...new Set(own.flatMap(({ trials }) => trials.map(({ tile }) => tile)))];
    return [{ operation, classes: own, tiles, chosen: chosen.join(', ') }];
  });
}

/** Time of the static choice over that of the chosen tile: 1 if they are the same, null if a time is missing. */
export function gain({ trials, tile, fallback }: TunedClass): number | null {
  const time = (name: string) => trials.find((trial) => trial.tile === name)?.milliseconds ?? null;
  const [before, now] = [time(fallback), time(tile)];
  return before === null || now === null || now === 0 ? null : before / now;
}

/** Number of shapes whose chosen tile beats the static choice, and the largest gain; null if there is none. */
export function gains(classes: readonly TunedClass[]): { faster: number; most: number } | null {
  const found = classes.flatMap((one) => (one.tile === one.fallback ? [] : [gain(one) ?? 1]));
  return found.length === 0 ? null : { faster: found.length, most: Math.max(...found) };
}

/** The slowest kernels, with the rest summed into one entry if there are many. */
export function shownKernels(kernels: readonly ProfiledKernel[], most = 9): ProfiledKernel[] {
  if (kernels.length <= most) return [...kernels];
  const rest = kernels.slice(most - 1);
  const sum = (of: (one: ProfiledKernel) => number) => rest.reduce((total, one) => total + of(one), 0);
  const counted = rest.every(({ flops }) => flops !== null);
  return [
    ...kernels.slice(0, most - 1),
    {
      kernel: `${rest.length} others`,
      launches: sum(({ launches }) => launches),
      milliseconds: sum(({ milliseconds }) => milliseconds),
      share: sum(({ share }) => share),
      flops: counted ? sum(({ flops }) => flops ?? 0) : null,
      flopShare: counted ? sum(({ flopShare }) => flopShare ?? 0) : null,
    },
  ];
}

/**
 * @file The plans of one method in the order in which they remove more, and the lowest one that meets a budget: by its shape, which
 * runs nothing, or by a measurement of a few of them.
 */
import { LabError } from '../errors';
import { modelParameters } from '../model/count';
import type { ModelShape } from '../model/shape';
import type { PruningPlan } from './plan';

/** Rung 0 removes nothing; every rung removes at least what the one below it does. */
export interface Ladder {
  readonly last: number;
  /** What a rung leaves, without any pass over the model. Rejects with 'bad-argument' for a rung that would empty a layer. */
  shapeAt(rung: number): Promise<ModelShape>;
  planAt(rung: number): Promise<PruningPlan>;
}

/** The shape of a rung, or null for one that cannot be. */
async function shapeOrNull(ladder: Ladder, rung: number): Promise<ModelShape | null> {
  try {
    return await ladder.shapeAt(rung);
  } catch (thrown) {
    if (thrown instanceof LabError && thrown.code === 'bad-argument') return null;
    throw thrown;
  }
}

/** The lowest rung above `above` whose shape fits, by bisection; null if none does. */
export async function lowestRung(
  ladder: Ladder,
  fits: (shape: ModelShape) => boolean,
  above = 0,
): Promise<number | null> {
  let [low, high] = [above, ladder.last + 1];
  let found: number | null = null;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const shape = await shapeOrNull(ladder, middle);
    const isEnough = shape === null || fits(shape);
    if (isEnough) {
      high = middle;
      found = shape === null ? null : middle;
    } else low = middle;
  }
  return found;
}

/** The highest rung that can be. */
export async function highestRung(ladder: Ladder): Promise<number> {
  let [low, high] = [0, ladder.last + 1];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if ((await shapeOrNull(ladder, middle)) === null) high = middle;
    else low = middle;
  }
  return low;
}

/** A rung that was measured. */
export interface MeasuredRung {
  readonly rung: number;
  readonly value: number;
}

export interface MeasuredBudget {
  readonly limit: number;
  /** Of the original model; above the limit. */
  readonly original: number;
  measure(rung: number): Promise<number>;
  /** Measurements at most (default 5). */
  readonly most?: number;
}

/** A rung this close below the limit is not improved further: repeated measurements differ by more. */
const closeEnough = 0.97;
/** What the search aims at, as a share of the limit. */
const aim = 0.985;

/**
 * A low rung whose measured value is within the limit: the value is taken to fall along a line with the parameters that remain,
 * and each measurement corrects the line. `met` is null where no measured rung is within the limit; `closest` is then the lowest value.
 */
export async function lowestMeasured(
  ladder: Ladder,
  { limit, original, measure, most = 5 }: MeasuredBudget,
): Promise<{ met: MeasuredRung | null; closest: MeasuredRung }> {
  const top = await highestRung(ladder);
  const whole = modelParameters(await ladder.shapeAt(0));
  const sizeAt = async (rung: number): Promise<number> => modelParameters(await ladder.shapeAt(rung)) / whole;
  let low = { rung: 0, size: 1, value: original };
  let high: typeof low | null = null;
  let closest: MeasuredRung = low;
  // Before anything is measured: time falls as the parameters do.
  let wanted = limit / original;
  for (let count = 0; count < most && low.rung < top; count++) {
    const guess = await lowestRung(ladder, (shape) => modelParameters(shape) <= (wanted + 1e-9) * whole, low.rung);
    const rung: number = Math.min(guess ?? top, high === null ? top : high.rung - 1);
    const point = { rung, size: await sizeAt(rung), value: await measure(rung) };
    if (point.value < closest.value) closest = point;
    if (point.value <= limit) high = point;
    else low = point;
    if (high !== null && (high.rung - low.rung <= 1 || high.value >= closeEnough * limit)) break;
    wanted = nextSize(low, high ?? { size: 1, value: original }, aim * limit, high === null);
  }
  return { met: high, closest };
}

type Point = Pick<MeasuredRung, 'value'> & { readonly size: number };

/** The size at which the line through two measured points reaches the value; halfway to the lower end where they show no slope. */
function nextSize(low: Point, other: Point, value: number, isBeyond: boolean): number {
  const slope = (low.value - other.value) / (low.size - other.size);
  if (slope > 0 && Number.isFinite(slope)) return low.size - (low.value - value) / slope;
  return isBeyond ? low.size / 2 : (low.size + other.size) / 2;
}

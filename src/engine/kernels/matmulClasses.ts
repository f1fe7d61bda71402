/**
 * @file What was measured about products with a weight: which tile is fastest for a class of shapes.
 *
 * A class joins products that a tile treats alike: one operation and weight type, sizes of the same power of two, rows
 * of the same power of four, and whether four divides the sizes that are read by four.
 */
import * as v from 'valibot';
import type { StoredDtype } from '../../model/weights';
import type { Timing } from '../gpu/launchClock';
import { type AnyTileName, backTiles } from './backTile';
import { tiles } from './tile';

/** Operations that multiply by a weight [cols, inner] and exist in several tiles. */
export const operations = [
  'linear',
  'swiglu',
  'headPartials',
  'headGradient',
  'linearInputGradient',
  'weightSalience',
] as const;

export type Operation = (typeof operations)[number];
/** Those of the backward matmuls, which exist in fewer tiles. */
export type BackOperation = Extract<Operation, 'linearInputGradient' | 'weightSalience'>;
export type ForwardOperation = Exclude<Operation, BackOperation>;

/** 2 · rows · inner · cols operations: rows of activations with a weight [cols, inner]. */
export interface Matmul {
  readonly operation: Operation;
  readonly dtype: StoredDtype;
  readonly rows: number;
  readonly inner: number;
  readonly cols: number;
  /** Four divides every row length and offset that the tiles with wide reads step over. */
  readonly byFour: boolean;
}

/** A class of products: `inner` and `cols` as ⌊log₂⌋, `rows` as ⌊log₄⌋. */
export interface MatmulClass {
  readonly operation: Operation;
  readonly dtype: StoredDtype;
  readonly inner: number;
  readonly cols: number;
  readonly rows: number;
  readonly byFour: boolean;
}

/** A tile as it was tried. */
export interface TileTrial {
  readonly tile: AnyTileName;
  /** Median of one launch; null for a tile that was refused, or given up as much slower than another. */
  readonly milliseconds: number | null;
  /** Why it must not run, where it must not. */
  readonly refused: string | null;
}

/** A class with the tile that won. */
export interface TunedClass extends MatmulClass {
  readonly tile: AnyTileName;
  /** The static choice among them, whose results the others had to give. */
  readonly fallback: AnyTileName;
  readonly trials: readonly TileTrial[];
  /** Sizes of the launches that were timed. */
  readonly sizes: { readonly rows: number; readonly inner: number; readonly cols: number };
  readonly timing: Timing;
}

export function classOf({ operation, dtype, rows, inner, cols, byFour }: Matmul): MatmulClass {
  const log2 = (size: number): number => Math.floor(Math.log2(size));
  return { operation, dtype, inner: log2(inner), cols: log2(cols), rows: Math.floor(log2(rows) / 2), byFour };
}

/** A class as a key: equal for equal classes. */
export function classKey({ operation, dtype, inner, cols, rows, byFour }: MatmulClass): string {
  return [operation, dtype, inner, cols, rows, byFour].join(' ');
}

/** How much faster than the static choice another tile must be: below that a measurement may be chance. */
const margin = 0.97;

/** The tile to run in: the static choice unless another is clearly faster. */
export function winner(trials: readonly TileTrial[], fallback: AnyTileName): AnyTileName {
  const timed = trials.flatMap(({ tile, milliseconds }) => (milliseconds === null ? [] : [{ tile, milliseconds }]));
  const mine = timed.find(({ tile }) => tile === fallback);
  if (timed.length === 0) return fallback;
  const best = timed.reduce((a, b) => (b.milliseconds < a.milliseconds ? b : a));
  return mine !== undefined && best.milliseconds > margin * mine.milliseconds ? fallback : best.tile;
}

const tile = v.picklist(Object.keys({ ...tiles, ...backTiles }) as AnyTileName[]);
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const size = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const schema = v.array(
  v.object({
    operation: v.picklist(operations),
    dtype: v.picklist(['F32', 'F16', 'BF16'] satisfies StoredDtype[]),
    inner: count,
    cols: count,
    rows: count,
    byFour: v.boolean(),
    tile,
    fallback: tile,
    trials: v.array(
      v.object({
        tile,
        milliseconds: v.nullable(v.pipe(v.number(), v.finite(), v.minValue(0))),
        refused: v.nullable(v.string()),
      }),
    ),
    sizes: v.object({ rows: size, inner: size, cols: size }),
    timing: v.picklist(['timestamps', 'wall clock'] satisfies Timing[]),
  }),
);

/** Parses stored measurements. A malformed list is dropped as a whole, with a note about the fault. */
export function parseTuned(value: unknown): { classes: TunedClass[]; note: string | null } {
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const where = v.getDotPath(issue) ?? 'the list';
    return { classes: [], note: `Measured kernels that were stored are not used: ${where}: ${issue.message}` };
  }
  const wrong = parsed.output.find((one) => winner(one.trials, one.fallback) !== one.tile);
  if (wrong === undefined) return { classes: parsed.output, note: null };
  const note = `Measured kernels that were stored are not used: ${classKey(wrong)}: its times do not make ${wrong.tile} the fastest`;
  return { classes: [], note };
}

/**
 * @file Measures the tiles of a matmul: first whether they are correct on this adapter, then which one is fastest.
 *
 * The static choice is compared with float64 in a few places, the other tiles with the static choice everywhere: one
 * that departs by more than rounding is refused, and so is one that does not compile. The others are timed alternately,
 * so that a change of clock speed or a busy moment meets all alike.
 */
import { type ErrorCode, LabError } from '../../errors';
import { median } from '../../numerics/statistics';
import type { TaskOptions } from '../../task';
import { LaunchClock } from '../gpu/launchClock';
import type { AnyTileName } from '../kernels/backTile';
import { isBackOperation } from '../kernels/kernelChoice';
import {
  classOf,
  type Matmul,
  type Operation,
  type TileTrial,
  type TunedClass,
  winner,
} from '../kernels/matmulClasses';
import type { EngineParts } from '../pass/runtime';
import { expectedLinear, type KernelOf, kernelOf, makeTrial } from './matmulTrial';

export interface TuneOptions extends TaskOptions {
  /** Measures again what was measured before. */
  readonly force?: boolean | undefined;
  /** Time for all classes together, ms; those that remain then keep the static choice. */
  readonly budgetMs?: number | undefined;
  /** A tile that takes so many times the best's is not measured further (default 2). */
  readonly patience?: number | undefined;
  /** Only these. */
  readonly operations?: readonly Operation[] | undefined;
  /** Other records in place of the engine's: for tests of the validation. */
  readonly kernelOf?: KernelOf | undefined;
}

/** What is allowed beside the static choice's results, in parts of their root mean square. */
export const tolerances = {
  /** Sums in another order: about 2⁻²⁴ · √inner, and some room for products over many thousand terms. */
  f32: 1e-4,
  /** Products rounded to f16: about 2⁻¹¹, up to some five standard deviations among all elements. */
  f16: 2 ** -7,
};

/** Rows and columns on which a tile is validated: more than a workgroup's tile, and no multiples of it. */
const validated = { rows: 67, cols: 515 };
/** Samples of each tile; fewer on a software adapter, whose times decide nothing for other machines. */
const rounds = { software: 3, hardware: 5 };
/** Length of a sample where timestamps tell it; browsers round them to 0.1 ms. */
const sampleMs = 6;
/** Length of a sample by the wall clock, which counts the submission too. */
const wallSampleMs = 20;
const mostLaunches = 64;
const mostWeightBytes = 2 ** 26;
/** As much as a slice of activations takes. */
const mostOutputBytes = 2 ** 27;

/** Of an engine, what measuring needs. */
export type TuningParts = Pick<EngineParts, 'buffers' | 'choice' | 'context' | 'queue'>;

/** Tries every tile that the device offers for a product. */
export async function tuneMatmul(parts: TuningParts, matmul: Matmul, options: TuneOptions): Promise<TunedClass> {
  const { choice } = parts;
  const fallback = choice.fallback(matmul);
  const offered = choice.offered(matmul);
  const refused = await validate(parts, matmul, offered, fallback, options.kernelOf ?? kernelOf);
  const right = offered.filter((tile) => !refused.has(tile));
  const sizes = timedSizes(parts, matmul);
  const { milliseconds, timing } = await timeTiles(parts, { ...matmul, ...sizes }, right, options);
  const trials: TileTrial[] = offered.map((tile) => ({
    tile,
    milliseconds: milliseconds.get(tile) ?? null,
    refused: refused.get(tile) ?? null,
  }));
  return { ...classOf(matmul), tile: winner(trials, fallback), fallback, trials, sizes, timing };
}

/** Why tiles must not run. The static choice is never among them: float64 is its judge. */
async function validate(
  parts: TuningParts,
  matmul: Matmul,
  tiles: readonly AnyTileName[],
  fallback: AnyTileName,
  records: KernelOf,
): Promise<Map<AnyTileName, string>> {
  const { buffers, context, queue } = parts;
  const { operation, dtype } = matmul;
  const small = {
    ...matmul,
    rows: Math.min(matmul.rows, validated.rows),
    cols: validColumns(matmul),
  };
  const trial = await makeTrial(context, buffers, small, true);
  const refused = new Map<AnyTileName, string>();
  // Compiled concurrently; failures are reported below.
  await Promise.allSettled(tiles.map((tile) => queue.prepare([records(operation, dtype, tile)])));
  const resultsOf = async (tile: AnyTileName): Promise<Float32Array | null> => {
    const kernel = records(operation, dtype, tile);
    try {
      await queue.prepare([kernel]);
    } catch (thrown) {
      if (tile === fallback || !(thrown instanceof LabError) || thrown.code !== 'internal') throw thrown;
      refused.set(tile, thrown.message);
      return null;
    }
    // What a tile does not write must not pass for its result.
    const { buffer, count } = trial.output;
    await queue.write(buffer, new Float32Array(count).fill(unwritten));
    await queue.launch(kernel, trial.buffers, trial.params(tile), trial.flops);
    return new Float32Array(await queue.read(buffer, count * 4));
  };
  const expected = (await resultsOf(fallback))!;
  if (operation === 'linear') reference(expected, small, context.info.adapter);
  for (const tile of tiles) {
    if (tile === fallback) continue;
    const results = await resultsOf(tile);
    if (results === null) continue;
    const away = departure(results, expected);
    const allowed = tile === 'f16' ? tolerances.f16 : tolerances.f32;
    if (!(away <= allowed)) {
      refused.set(
        tile,
        `departs from ${fallback} by ${away.toPrecision(2)} of the root mean square, allowed is ${allowed}`,
      );
    }
  }
  for (const buffer of new Set(Object.values(trial.buffers))) buffers.release(buffer);
  return refused;
}

/** @throws LabError 'self-check' where the static choice itself is wrong on this adapter: so would every number be */
function reference(results: Float32Array, matmul: Matmul, adapter: string): void {
  const { rows, cols } = matmul;
  for (const row of new Set([0, rows - 1])) {
    for (const col of new Set([0, cols >> 1, cols - 1])) {
      const [expected, got] = [expectedLinear(matmul, row, col), results[row * cols + col]!];
      // The products' root mean square is 1.
      if (Math.abs(got - expected) <= tolerances.f32) continue; // not so for NaN
      throw new LabError(
        'self-check',
        `A linear layer on '${adapter}': expected ${expected} in row ${row}, column ${col}, got ${got}.`,
        'Do not trust numbers of this adapter. Update the browser and the graphics driver, or use another GPU.',
      );
    }
  }
}

/** No product comes out as this. */
const unwritten = -12_345;

/** Gates are as many as ups, and backward matmuls read columns by four where they may. */
function validColumns({ operation, byFour, cols }: Matmul): number {
  const step = operation === 'swiglu' ? 2 : isBackOperation(operation) && byFour ? 4 : 1;
  return Math.max(step, Math.floor(Math.min(cols, validated.cols) / step) * step);
}

/** Largest |difference| in parts of the expected values' root mean square; NaN where a result is. */
export function departure(results: Float32Array, expected: Float32Array): number {
  let largest = 0;
  let squares = 0;
  for (let i = 0; i < expected.length; i++) {
    const away = Math.abs(results[i]! - expected[i]!);
    if (!(away <= largest)) largest = away;
    squares += expected[i]! ** 2;
  }
  return largest / Math.sqrt(squares / expected.length);
}

/** A product's sizes, with no more columns than a launch of usual length and a modest buffer hold. */
function timedSizes({ context, queue }: TuningParts, { rows, inner, cols, dtype }: Matmul): TunedClass['sizes'] {
  const bytes = dtype === 'F32' ? 4 : 2;
  const byMemory = mostWeightBytes / (inner * bytes);
  const { maxStorageBufferBindingSize } = context.device.limits;
  const byOutput = Math.min(mostOutputBytes, maxStorageBufferBindingSize) / (4 * rows);
  const byTime = context.info.software ? (2 * queue.launchFlops) / (2 * rows * inner) : Number.POSITIVE_INFINITY;
  const most = Math.max(512, Math.floor(Math.min(byMemory, byOutput, byTime) / 512) * 512);
  return { rows, inner, cols: Math.min(cols, most) };
}

/** Median milliseconds of one launch of each tile; a hopeless one has none. */
async function timeTiles(
  parts: TuningParts,
  matmul: Matmul,
  tiles: readonly AnyTileName[],
  options: TuneOptions,
  wallClock = false,
): Promise<{ milliseconds: Map<AnyTileName, number>; timing: LaunchClock['timing'] }> {
  const { buffers, context, queue } = parts;
  const trial = await makeTrial(context, buffers, matmul, false);
  const clock = new LaunchClock(context, { eachLaunch: false, wallClock });
  const sample = async (tile: AnyTileName, launches: number): Promise<number> => {
    const kernel = (options.kernelOf ?? kernelOf)(matmul.operation, matmul.dtype, tile);
    clock.reset();
    await queue.timed(clock, async () => {
      for (let i = 0; i < launches; i++) await queue.launch(kernel, trial.buffers, trial.params(tile), trial.flops);
    });
    return clock.times().reduce((sum, one) => sum + one.milliseconds, 0) / launches;
  };
  try {
    const samples = new Map<AnyTileName, number[]>();
    const first = new Map<AnyTileName, number>();
    for (const tile of tiles) {
      await sample(tile, 1); // its first launch may still be compiled by the driver
      first.set(tile, await sample(tile, 1));
    }
    const best = Math.min(...first.values());
    const aim = clock.timing === 'timestamps' ? sampleMs : wallSampleMs;
    const { patience = 2 } = options;
    const hopeful = tiles.filter((tile) => first.get(tile)! <= patience * best + roundingMs);
    const samplesEach = context.info.software ? rounds.software : rounds.hardware;
    for (let round = 0; round < samplesEach; round++) {
      for (const tile of hopeful) {
        const launches = Math.ceil(Math.min(mostLaunches, Math.max(1, aim / Math.max(first.get(tile)!, 1e-3))));
        samples.set(tile, [...(samples.get(tile) ?? []), await sample(tile, launches)]);
      }
    }
    const milliseconds = new Map([...samples].map(([tile, values]) => [tile, median(values)] as const));
    // Some drivers count nothing.
    const blind = clock.timing === 'timestamps' && [...milliseconds.values()].every((value) => value === 0);
    return blind ? await timeTiles(parts, matmul, tiles, options, true) : { milliseconds, timing: clock.timing };
  } finally {
    clock.dispose();
    for (const buffer of new Set(Object.values(trial.buffers))) buffers.release(buffer);
  }
}

/** To this the first sample of a short launch may be wrong. */
const roundingMs = 0.2;

const tooLarge: readonly ErrorCode[] = ['out-of-memory', 'unsupported-limit'];

/** Time that a user may be expected to wait for without asking, ms. */
const usualBudgetMs = 5000;

export interface Tuning {
  /** Classes measured now. */
  readonly measured: readonly TunedClass[];
  /** Classes that no time or no memory was left for: they keep the static choice. */
  readonly left: number;
}

/**
 * Measures every class of products of the model, the dearest first, and has the choice follow each at once: a cancelled
 * tuning keeps what it found. `turn` gives one class its time on the GPU.
 */
export async function tuneModel(
  { choice }: Pick<EngineParts, 'choice'>,
  matmuls: readonly Matmul[],
  options: TuneOptions,
  turn: (matmul: Matmul) => Promise<TunedClass>,
): Promise<Tuning> {
  const wanted = matmuls.filter(
    (matmul) =>
      (options.operations?.includes(matmul.operation) ?? true) && (options.force === true || !choice.knows(matmul)),
  );
  const measured: TunedClass[] = [];
  const began = performance.now();
  for (const matmul of wanted) {
    options.onProgress?.({ stage: 'tune', done: measured.length, total: wanted.length, unit: 'shapes' });
    if (performance.now() - began >= (options.budgetMs ?? usualBudgetMs)) break;
    try {
      const tuned = await turn(matmul);
      choice.adopt([tuned]);
      measured.push(tuned);
    } catch (thrown) {
      // No room for this one beside the model: smaller ones may have it.
      if (!(thrown instanceof LabError) || !tooLarge.includes(thrown.code)) throw thrown;
    }
  }
  return { measured, left: wanted.length - measured.length };
}

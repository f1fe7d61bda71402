/** @file Which tile a matmul with a weight runs in: the forced one, else the measured one, else the static choice. */
import { LabError } from '../../errors';
import type { StoredDtype } from '../../model/weights';
import type { GpuInfo } from '../gpu/device';
import {
  type AnyTileName,
  type BackTileName,
  isBackTile,
  isForwardTile,
  offeredBackTiles,
  pickBackTile,
} from './backTile';
import {
  type BackOperation,
  classKey,
  classOf,
  type ForwardOperation,
  type Matmul,
  type TunedClass,
} from './matmulClasses';
import { offeredTiles, pickTile, type TileName } from './tile';

export interface ChoiceOptions {
  /** Every matmul runs in this tile wherever it can: for tests and comparisons. 'f16' then allows float16. */
  readonly kernel?: string | undefined;
  /** Tiles that multiply in f16 may be measured and chosen; they change scores by about 2⁻¹¹ per multiplication. */
  readonly float16Matmuls?: boolean | undefined;
}

/** Sizes of a matmul with a weight [cols, inner]. */
interface Sizes {
  readonly dtype: StoredDtype;
  readonly rows: number;
  readonly inner: number;
  readonly cols: number;
}

/** No matmul has so few rows: this number stands for any number of rows that was not measured. */
const unmeasuredRows = 1 / 4;

/** What of an adapter decides which tiles it may run. */
type ChosenFor = Pick<GpuInfo, 'largeTiles' | 'features'>;

export class KernelChoice {
  readonly #info: ChosenFor;
  readonly #forced: AnyTileName | undefined;
  /** Whether matmuls may be computed in f16. */
  readonly float16Matmuls: boolean;
  readonly #tuned = new Map<string, TunedClass>();

  /** @throws LabError 'bad-argument' where the device cannot run the forced tile */
  constructor(info: ChosenFor, { kernel, float16Matmuls }: ChoiceOptions = {}) {
    this.#info = info;
    this.float16Matmuls = float16Matmuls === true || kernel === 'f16';
    const forward = offeredTiles(info.features, 4, this.float16Matmuls);
    const offered = [...new Set<AnyTileName>([...forward, ...offeredBackTiles(true, info.largeTiles)])];
    this.#forced = offered.find((name) => name === kernel);
    if (kernel === undefined || this.#forced !== undefined) return;
    throw new LabError(
      'bad-argument',
      `kernel: this adapter supports ${offered.join(', ')}, got '${kernel}'.`,
      'Omit the option, or choose one of these.',
    );
  }

  /** Follows measured classes from now on, beside those adopted before. */
  adopt(classes: Iterable<TunedClass>): void {
    for (const tuned of classes) this.#tuned.set(classKey(tuned), tuned);
  }

  /** The tile that every matmul runs in wherever it can; undefined where measurement decides. */
  get forced(): AnyTileName | undefined {
    return this.#forced;
  }

  /** Whether some matmul is computed in f16 now. */
  get usesFloat16(): boolean {
    return this.#forced === undefined ? this.tuned.some(({ tile }) => tile === 'f16') : this.#forced === 'f16';
  }

  /** The classes that it follows. */
  get tuned(): TunedClass[] {
    return [...this.#tuned.values()];
  }

  /** Whether a matmul's class was measured. */
  knows(wanted: Matmul): boolean {
    return this.#tuned.has(classKey(classOf(wanted)));
  }

  /** The static choice. */
  fallback({ operation, byFour }: Pick<Matmul, 'operation' | 'byFour'>): AnyTileName {
    const step = byFour ? 4 : 1;
    return isBackOperation(operation)
      ? pickBackTile([step], this.#info.largeTiles)
      : pickTile(step, this.#info.largeTiles);
  }

  /** The tile of a forward matmul. */
  tile(operation: ForwardOperation, sizes: Sizes): TileName {
    const chosen = this.#choose(matmul(operation, sizes, [sizes.inner]));
    return chosen !== undefined && isForwardTile(chosen) ? chosen : pickTile(sizes.inner, this.#info.largeTiles);
  }

  /** The tile of a backward matmul whose operands have row lengths and offsets of `steps`. */
  backTile(operation: BackOperation, sizes: Sizes, steps: readonly number[]): BackTileName {
    const chosen = this.#choose(matmul(operation, sizes, steps));
    return chosen !== undefined && isBackTile(chosen) ? chosen : pickBackTile(steps, this.#info.largeTiles);
  }

  /** Every tile that a forward matmul may run in, whatever its rows: to be compiled ahead. */
  tiles(operation: ForwardOperation, sizes: Omit<Sizes, 'rows'>): ReadonlySet<TileName> {
    return new Set(this.#rowsOf(operation, sizes).map((rows) => this.tile(operation, { ...sizes, rows })));
  }

  /** Every tile that a backward matmul may run in, whatever its rows: to be compiled ahead. */
  backTiles(operation: BackOperation, sizes: Omit<Sizes, 'rows'>, steps: readonly number[]): ReadonlySet<BackTileName> {
    const rows = this.#rowsOf(operation, sizes);
    return new Set(rows.map((count) => this.backTile(operation, { ...sizes, rows: count }, steps)));
  }

  /** The tiles that this device may run a matmul in. */
  offered({ operation, byFour }: Pick<Matmul, 'operation' | 'byFour'>): AnyTileName[] {
    if (isBackOperation(operation)) return offeredBackTiles(byFour, this.#info.largeTiles);
    return offeredTiles(this.#info.features, byFour ? 4 : 1, this.float16Matmuls);
  }

  #choose(wanted: Matmul): AnyTileName | undefined {
    const name = this.#forced ?? this.#tuned.get(classKey(classOf(wanted)))?.tile;
    return name !== undefined && this.offered(wanted).includes(name) ? name : undefined;
  }

  /** A number of rows of every class of rows that was measured for this operation, and one of none. */
  #rowsOf(operation: Matmul['operation'], { dtype }: Omit<Sizes, 'rows'>): number[] {
    const alike = this.tuned.filter((one) => one.operation === operation && one.dtype === dtype);
    return [...new Set([unmeasuredRows, ...alike.map((one) => 4 ** one.rows)])];
  }
}

function matmul(operation: Matmul['operation'], sizes: Sizes, steps: readonly number[]): Matmul {
  return { operation, ...sizes, byFour: steps.every((step) => step % 4 === 0) };
}

export function isBackOperation(operation: Matmul['operation']): operation is BackOperation {
  return operation === 'linearInputGradient' || operation === 'weightSalience';
}

/** @file The state of a training as pieces of bounded size, and the index that finds a tensor's values in them. */
import type { StateKind, StatePart, TrainingState } from '../engine/train/state';
import { LabError } from '../errors';

/** Consecutive values of a tensor or a moment: `count` of them from element `first` on, at element `at` of the whole state. */
export interface StateSegment {
  readonly key: string;
  readonly kind: StateKind;
  readonly first: number;
  readonly count: number;
  readonly at: number;
}

export interface StateIndex {
  /** Steps that the trainer had made. */
  readonly steps: number;
  readonly segments: readonly StateSegment[];
  /** Elements of all pieces but the last one, which has the rest. */
  readonly pieceElements: number;
  /** float32 elements in all. */
  readonly elements: number;
  /** Moments were left out: a trainer that starts from it has none. */
  readonly weightsOnly: boolean;
}

/** 16 MiB, as a model's chunks. */
export const statePieceElements = 2 ** 22;

/** Takes the parts of a state in the order in which they come, and hands over pieces. */
export class StateWriter {
  readonly #onPiece: (piece: Blob) => Promise<void>;
  readonly #pieceElements: number;
  readonly #segments: StateSegment[] = [];
  #parts: Float32Array<ArrayBuffer>[] = [];
  #held = 0;
  #elements = 0;
  readonly #weightsOnly: boolean;

  /** @param weightsOnly leaves moments out */
  constructor(onPiece: (piece: Blob) => Promise<void>, pieceElements = statePieceElements, weightsOnly = false) {
    this.#onPiece = onPiece;
    this.#weightsOnly = weightsOnly;
    this.#pieceElements = pieceElements;
  }

  /** @throws LabError 'non-finite': nobody continues from such a state */
  async add({ key, kind, first, values }: StatePart): Promise<void> {
    if (this.#weightsOnly && kind !== 'weight') return;
    checkFinite(values, key, kind);
    const last = this.#segments.at(-1);
    if (last?.key === key && last.kind === kind && last.first + last.count === first) {
      this.#segments[this.#segments.length - 1] = { ...last, count: last.count + values.length };
    } else {
      this.#segments.push({ key, kind, first, count: values.length, at: this.#elements });
    }
    this.#elements += values.length;
    for (let at = 0; at < values.length; ) {
      const part = values.subarray(at, at + this.#pieceElements - this.#held);
      this.#parts.push(part);
      this.#held += part.length;
      at += part.length;
      if (this.#held === this.#pieceElements) await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    const piece = new Blob(this.#parts);
    this.#parts = [];
    this.#held = 0;
    await this.#onPiece(piece);
  }

  async end(steps: number): Promise<StateIndex> {
    if (this.#held > 0) await this.#flush();
    return {
      ...{ steps, segments: this.#segments, pieceElements: this.#pieceElements, elements: this.#elements },
      weightsOnly: this.#weightsOnly,
    };
  }
}

/**
 * A state to continue from. Every value is looked at when it is read.
 * @param piece gives a piece by its number; null where it is not there
 */
export function savedState(index: StateIndex, piece: (number: number) => Promise<Blob | null>): TrainingState {
  const segmentsOf = new Map<string, StateSegment[]>();
  for (const segment of index.segments) {
    const name = `${segment.kind} ${segment.key}`;
    segmentsOf.set(name, [...(segmentsOf.get(name) ?? []), segment]);
  }
  let known: { readonly number: number; readonly values: Float32Array<ArrayBuffer> } | null = null;
  const pieceOf = async (number: number): Promise<Float32Array<ArrayBuffer>> => {
    if (known?.number === number) return known.values;
    const { pieceElements, elements } = index;
    const expected = 4 * Math.min(pieceElements, elements - number * pieceElements);
    const bytes = await (await piece(number))?.arrayBuffer().catch(() => null); // a Blob whose file is gone
    if (bytes?.byteLength !== expected)
      throw damaged(`piece ${number} has ${bytes?.byteLength ?? 0} of ${expected} bytes`);
    known = { number, values: new Float32Array(bytes) };
    return known.values;
  };
  return {
    steps: index.steps,
    async read(key, kind, first, count) {
      const values = new Float32Array(count);
      if (index.weightsOnly && kind !== 'weight') return values;
      let found = 0;
      for (const segment of segmentsOf.get(`${kind} ${key}`) ?? []) {
        const begin = Math.max(first, segment.first);
        const end = Math.min(first + count, segment.first + segment.count);
        for (let at = begin; at < end; ) {
          const place = segment.at + at - segment.first;
          const number = Math.floor(place / index.pieceElements);
          const from = place - number * index.pieceElements;
          const part = (await pieceOf(number)).subarray(from, from + end - at);
          values.set(part, at - first);
          at += part.length;
          found += part.length;
        }
      }
      if (found !== count) throw damaged(`${kind} of ${key}: ${found} of ${count} values`);
      checkFinite(values, key, kind);
      return values;
    },
  };
}

function checkFinite(values: Float32Array, key: string, kind: StateKind): void {
  for (const value of values) {
    if (!Number.isFinite(value)) {
      throw new LabError(
        'non-finite',
        `The state of the training: ${kind} of ${key} holds ${value}.`,
        'Go on from an earlier state, or train again with a lower learning rate.',
      );
    }
  }
}

function damaged(what: string): LabError {
  return new LabError(
    'bad-weights',
    `The stored state of the training is not whole: ${what}.`,
    'Stop this training and start it again.',
  );
}

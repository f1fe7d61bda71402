/** @file The checkpoints of one training: written piece by piece, stored beside the model, or held in memory where the storage refuses. */
import type { StatePart, TrainingState } from '../../../engine/train/state';
import { type StateIndex, StateWriter, savedState, statePieceElements } from '../../../retrain/savedState';
import type { PatchedModel } from '../../../shards/store/patchStore';
import type { StoredSet, TrainingStore } from '../../../shards/store/trainingStore';

/** Has its parts handed over. */
export type SaveState = (onPart: (part: StatePart) => Promise<void>) => Promise<void>;

/** The state of a trainer; in the storage under a set, or in memory. */
export interface SavedState {
  readonly index: StateIndex;
  readonly stored: StoredSet | null;
  readonly blobs: readonly Blob[] | null;
}

/** Elements of a piece, which tests make small. */
export const checkpointSetting = { pieceElements: statePieceElements };

export class Checkpoints {
  readonly #store: TrainingStore;
  readonly #model: PatchedModel;
  readonly #run: string;

  constructor(store: TrainingStore, model: PatchedModel, run: string) {
    this.#store = store;
    this.#model = model;
    this.#run = run;
  }

  /** Writes a state, which nothing refers to until a commit names it. If that fails, nothing of it is left. */
  async write(save: SaveState, steps: number, weightsOnly = false): Promise<SavedState> {
    const set = this.#store.newSet();
    const pieces: number[] = [];
    try {
      const index = await written(
        save,
        steps,
        async (piece) => {
          await this.#store.putPiece(this.#model, this.#run, set, pieces.length, piece);
          pieces.push(piece.size);
        },
        weightsOnly,
      );
      return { index, stored: { set, pieces }, blobs: null };
    } catch (thrown) {
      await this.#store.dropSet(this.#model, this.#run, set).catch(() => undefined); // the next commit removes it
      throw thrown;
    }
  }

  /** The same in this tab's memory: it is lost with the tab. */
  async hold(save: SaveState, steps: number, weightsOnly = false): Promise<SavedState> {
    const blobs: Blob[] = [];
    const index = await written(save, steps, async (piece) => void blobs.push(piece), weightsOnly);
    return { index, stored: null, blobs };
  }

  /** A state that is held in memory, stored. */
  async persist(state: SavedState): Promise<SavedState> {
    const { index, blobs } = state;
    if (blobs === null) return state;
    const set = this.#store.newSet();
    for (const [at, piece] of blobs.entries()) await this.#store.putPiece(this.#model, this.#run, set, at, piece);
    return { index, stored: { set, pieces: blobs.map(({ size }) => size) }, blobs: null };
  }

  /** A state to continue from. */
  read({ index, stored, blobs }: SavedState): TrainingState {
    return savedState(index, async (number) => {
      if (blobs !== null) return blobs[number] ?? null;
      return stored === null ? null : this.#store.piece(this.#model, this.#run, stored.set, number);
    });
  }

  commit(about: unknown, states: readonly SavedState[]): Promise<void> {
    const sets = states.flatMap(({ stored }) => stored ?? []);
    return this.#store.commit(this.#model, this.#run, about, sets);
  }

  add(about: unknown, input: Blob): Promise<void> {
    return this.#store.add(this.#model, { run: this.#run, about, input });
  }

  remove(): Promise<void> {
    return this.#store.remove(this.#model, this.#run);
  }

  /** Makes the training this tab's until the returned function is called; null where another tab has it. */
  holdLock(): Promise<(() => void) | null> {
    return this.#store.hold(this.#model, this.#run);
  }
}

async function written(
  save: SaveState,
  steps: number,
  onPiece: (piece: Blob) => Promise<void>,
  weightsOnly: boolean,
): Promise<StateIndex> {
  const writer = new StateWriter(onPiece, checkpointSetting.pieceElements, weightsOnly);
  await save((part) => writer.add(part));
  return writer.end(steps);
}

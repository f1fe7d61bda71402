/** @file Facts of an open model and of a GPU as `lab` returns them. */
import { dictionary, flag, list, object, oneOf, type Schema, text } from '../io/schema';
import type { ModelShape } from '../model/shape';
import { amount, count, most, name, plainData } from './fields';

export interface DeviceInfo {
  adapter: string;
  /** Tells this adapter from others, as far as the browser does. */
  identity: string;
  /** The adapter runs on the CPU: its numbers are right, its times mean nothing. */
  software: boolean;
  /** The address asked for it, and the adapter has it: products may be computed in f16, and scores change a little. */
  halfPrecision?: boolean;
  /**
   * What a user lets the engine take of its memory, bytes (`lab.limitMemory`); as much as it gives where it is absent.
   */
  memoryBytes?: number;
  features: string[];
  limits: Record<string, number>;
}

/** What the demo's card.json tells and other models do not have. */
export interface ModelCard {
  title: string;
  /** Best perplexity that any model could reach on the built-in corpus, where that is known. */
  floorPerplexity?: number;
}

export interface ModelInfo {
  id: string;
  source: string;
  revision: string;
  architecture: string;
  shape: ModelShape;
  parameters: number;
  /** Bytes in IndexedDB. */
  storedBytes: number;
  /** Bytes in IndexedDB of its variants' own weights; of `lab.stored()`. */
  patchBytes?: number;
  /** Bytes in IndexedDB of its trainings that can go on; of `lab.stored()`. */
  trainingBytes?: number;
  dtype: 'F32' | 'F16' | 'BF16';
  tokenizer: boolean;
  /** Bytes that came over the network for this load; 0 when everything was in IndexedDB. */
  downloadedBytes: number;
  /** Last time that it was opened, ms since 1970. */
  lastUsed: number;
  card?: ModelCard;
  /**
   * What a user should know of how the model was opened and its files were read, one sentence each: which of two
   * statements counts, what was ignored, where the tensors differ from config.json, whether its server could be asked
   * for changes.
   */
  notes: readonly string[];
  /** Those of them that tell how it was opened this time: changed, compared, brought again, or not to be asked for. */
  openingNotes?: readonly string[];
  /** Its server says that another version lies at its address: this is the stored copy. */
  outdated?: true;
}

const notes = list(text(most.note), 0, most.notes);

/** The shape is read by nothing that restores: its fields belong to `src/model/shape.ts`. */
export const modelInfo: Schema<ModelInfo> = object(
  {
    ...{ id: text(most.source), source: text(most.source), revision: name, architecture: name },
    ...{ shape: plainData<ModelShape>("a model's shape"), parameters: count, storedBytes: count },
    ...{ dtype: oneOf(['F32', 'F16', 'BF16']), tokenizer: flag, downloadedBytes: count, lastUsed: amount, notes },
  },
  {
    card: object({ title: name }, { floorPerplexity: amount }),
    openingNotes: notes,
    patchBytes: count,
    trainingBytes: count,
    outdated: oneOf([true]),
  },
);

export const deviceInfo: Schema<DeviceInfo> = object(
  {
    ...{ adapter: name, identity: name, software: flag, features: list(name, 0, most.notes) },
    limits: dictionary(name, amount, most.notes),
  },
  { halfPrecision: flag, memoryBytes: count },
) as Schema<DeviceInfo>;

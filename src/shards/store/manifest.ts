/** @file The manifest of a stored model: everything about it except its bytes. */

import { superseded } from '../../io/database';
import type { ModelShape } from '../../model/shape';
import type { FileTensor } from '../../model/tensors';
import type { StoredDtype } from '../../model/weights';
import type { Validator } from './validator';

export interface StoredFile {
  readonly name: string;
  readonly size: number;
  readonly chunks: number;
  /** Hexadecimal SHA-256 of the bytes, where it was computed as they came. */
  readonly sha256?: string;
  /** The server's facts about this version of the file. */
  readonly validator?: Validator;
}

/** The fields of a demo's card.json. */
export interface StoredCard {
  readonly title: string;
  readonly floorPerplexity?: number;
}

/** The facts that a list of stored models shows without opening them. */
export interface ModelSummary {
  readonly architecture: string;
  readonly shape: ModelShape;
  readonly parameters: number;
  readonly dtype: StoredDtype;
  readonly tokenizer: boolean;
  readonly card?: StoredCard;
  /** Of a model whose configuration ties its head, and which holds a table for it: whether the two differ. */
  readonly ownHead?: boolean;
  /** What a user should know of how the files were read, one sentence each; absent in what earlier versions stored. */
  readonly notes?: readonly string[];
}

/** The manifest of a complete model. */
export interface StoredModel {
  readonly version: 1;
  readonly id: string;
  /** The source that loads it again. */
  readonly source: string;
  readonly revision: string;
  readonly files: readonly StoredFile[];
  /** Sum of the files' sizes. */
  readonly bytes: number;
  readonly chunkBytes: number;
  /** Hash of config.json. */
  readonly digest: string;
  /** Milliseconds since 1970, as `lastUsed`. */
  readonly created: number;
  readonly lastUsed: number;
  /** Key of the load that wrote the chunks. */
  readonly load: string;
  readonly summary: ModelSummary;
  /** What the model needs of its shards' headers, where they name so many tensors that parsing them takes long. */
  readonly tensors?: readonly FileTensor[] | undefined;
}

export function isReadable({ version }: { readonly version: number }): boolean {
  return version === 1;
}

/** Damaged models are not shown; loading one again replaces it. */
export function isWhole({ load, files, summary }: Partial<StoredModel>): boolean {
  return typeof load === 'string' && Array.isArray(files) && typeof summary?.shape === 'object';
}

/** A manifest in the form that this code knows. */
export function readable(model: StoredModel): StoredModel {
  if (isReadable(model)) return model;
  throw superseded(`secateur: ${String(model.id)}`);
}

/** @file The interface of every place that model files come from. */
import type { TaskOptions } from '../../task';
import type { StoredModel } from '../store/manifest';
import type { ShardStore } from '../store/shardStore';
import type { Validator } from '../store/validator';
import type { Comparable, Freshness } from './freshness';
import type { WeightChoice } from './weightFiles';

/** A file that a load will take. */
export interface RepositoryFile {
  readonly name: string;
  /** Bytes, where the place tells before the file is opened. */
  readonly size: number | null;
  /** The model loads without it. */
  readonly optional: boolean;
  /** Hexadecimal SHA-256 of the bytes, where the place tells. */
  readonly sha256?: string;
  /** Hexadecimal id of the bytes as a git object, where the place tells that instead. */
  readonly gitId?: string;
}

export interface OpenedRange {
  /** The server ignored the range: the stream gives the file from its start. */
  readonly whole: boolean;
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
}

export interface OpenedFile {
  /** Bytes that `stream` will give, where that is certain. */
  readonly size: number | null;
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** The server's facts about this version of the file. */
  readonly validator?: Validator;
  /** Hexadecimal SHA-256 of the bytes once `stream` has ended, where the place computes it anyway. */
  sha256?(): string | undefined;
}

export interface Repository {
  /** Id of the stored model: 'demo', 'folder:…', 'files:…'. */
  readonly id: string;
  /** The source that loads it again. */
  readonly label: string;
  /** A stored model of another revision is loaded again. */
  readonly revision: string;
  /** Reading it uses the network. */
  readonly remote: boolean;
  /** The files of the model, small ones first. Throws 'missing-file', 'network', 'bad-weights'. */
  list(signal?: AbortSignal): Promise<RepositoryFile[]>;
  /** A file's bytes. Throws 'missing-file' where there is none, 'network' for other failures. */
  open(file: string, options?: { signal?: AbortSignal | undefined }): Promise<OpenedFile>;
  /**
   * Bytes [begin, end) of a file, where the place can: such downloads are taken up again after a break. Without `end` the
   * whole file, asked for in a way that no server refuses. One request; throws PassingFailure for what may pass.
   */
  range?(file: string, begin: number, end: number | null, signal: AbortSignal): Promise<OpenedRange>;
  /** How the last `list` chose the files of the weights. */
  weights?(): WeightChoice | null;
  /**
   * Of a place that names no revisions: is a stored model still what lies there? Such a model's revision is made of its
   * content.
   */
  freshness?(stored: StoredModel, signal: AbortSignal | undefined): Promise<Freshness>;
  /** Of such a place: which of these files are others now. */
  changedSince?(files: readonly Comparable[], signal: AbortSignal | undefined): Promise<string[]>;
  /** Of files on this device: has a stored model of this id the same bytes, one by one? Its revision is made of them, too. */
  same?(stored: StoredModel, store: ShardStore, task: TaskOptions): Promise<boolean>;
  /** Facts about the model from its server, e.g. the licence. */
  about?(): { readonly licence: string | null; readonly gated: boolean };
}

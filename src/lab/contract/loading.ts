/** @file What loading models and texts takes and gives. */

import type { MemoryPlan } from '../../model/memory';
import type { ModelShape } from '../../model/shape';
import type { ChosenFile } from '../../shards/sources/chosenFiles';
import type { TaskOptions } from '../../task';
import type { StoredCorpus } from '../../text/corpusStore';

/**
 * 'demo', a folder URL that holds config.json, 'owner/name[@revision]' on the Hugging Face Hub, or the files of such a
 * folder, with their paths where the files themselves do not tell them.
 */
export type Source = string | File[] | ChosenFile[];

export interface LoadOptions extends TaskOptions {
  /** Branch, tag or commit on the Hub. */
  revision?: string;
  /** Opens gated models on the Hub. Kept in memory until the page is closed, and nowhere else. */
  token?: string;
  /** Address of another Hub: for tests and mirrors. */
  hub?: string;
  /** Opens what is stored of the source, without any request; rejects with 'not-found' where nothing is. */
  stored?: boolean;
  /**
   * For a folder's address if the server reports that its files differ from the stored copy: 'fetch' (default) loads
   * the new version, and the copy stays until that is complete; 'stored' opens the copy; 'ask' rejects with 'changed'.
   */
  changed?: 'fetch' | 'stored' | 'ask' | undefined;
}

/** What a model is and costs, before its weights are fetched. */
export interface ModelPreview {
  id: string;
  /** What loads this very revision. */
  source: string;
  revision: string;
  architecture: string;
  shape: ModelShape;
  parameters: number;
  /** All files; null where the server does not tell all sizes. */
  bytes: number | null;
  weightBytes: number | null;
  /** What it needs of a GPU, part by part; null where the server does not tell the weights' size. */
  memory: MemoryPlan | null;
  /** What an unfinished download has stored of it. */
  storedBytes: number;
  /** This revision is stored whole. */
  stored: boolean;
  /** What the browser would still store; null where it does not tell. */
  freeBytes: number | null;
  licence: string | null;
  gated: boolean;
}

/** A download that stopped on its way; loading its source takes it up again. */
export interface UnfinishedDownload {
  id: string;
  source: string;
  revision: string;
  bytes: number;
  expectedBytes: number | null;
  /** Last time that bytes came, ms since 1970. */
  touched: number;
  /** A tab is downloading it now. */
  active: boolean;
}

/** What the browser says about this page's storage; null where it does not tell. */
export interface StorageInfo {
  usage: number | null;
  quota: number | null;
  /** The browser has promised not to clear it by itself. */
  persisted: boolean | null;
}

/** A user's text: the text itself, or a .txt, .md, .jsonl or .parquet file (the first three also packed as .gz). */
export type TextSource = string | File;

export interface AddTextOptions extends TaskOptions {
  /** Field of a .jsonl's records or column of a .parquet; by default 'text', else the first of strings. */
  field?: string;
  /** What people call it; by default the file's name. */
  title?: string;
}

/** A text that `corpus` of a request can name. */
export interface CorpusInfo {
  name: string;
  title: string;
  kind: 'built-in' | 'hub' | 'file' | 'text';
  /** What it is meant for; any serves for either, where its rows are long enough. */
  uses: ('calibration' | 'evaluation')[];
  /** Why one would take it. */
  why?: string;
  /** What is in IndexedDB of it; null for what ships with the page and for what was not fetched yet. */
  stored: Omit<StoredCorpus, 'name' | 'title' | 'kind'> | null;
}

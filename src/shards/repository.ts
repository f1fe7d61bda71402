/** @file A place that model files come from, and the way from what a person typed or chose to one. */
import type { TaskOptions } from '../task';
import type { ChosenFile } from './chosenFiles';
import { openFileRepository } from './fileRepository';
import { openFolderRepository } from './folderRepository';
import type { Comparable, Freshness } from './freshness';
import { hubEndpoint, openHubRepository } from './hubRepository';
import { parseHubSource } from './hubSource';
import { defaultRetryPolicy, type RetryPolicy } from './retry';
import type { ShardStore, StoredModel } from './shardStore';
import { acceptedSources, badSource } from './sourceErrors';
import { withTokenizerModel } from './tokenizerModel';
import type { Validator } from './validator';
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
  /** What the server said of this version of the file. */
  readonly validator?: Validator;
  /** Hexadecimal SHA-256 of the bytes once `stream` has ended, where the place computes it anyway. */
  sha256?(): string | undefined;
}

export interface Repository {
  /** Id of the stored model: 'demo', 'folder:…', 'files:…'. */
  readonly id: string;
  /** What a person would give to load it again. */
  readonly label: string;
  /** A stored model of another revision is loaded anew. */
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
  /** What the place says about the model, e.g. its licence. */
  about?(): { readonly licence: string | null; readonly gated: boolean };
}

export interface SourceOptions {
  /** Address of the page: the demo lies in 'demo/' beside it. */
  readonly baseUrl: string;
  /** Version of the demo that this build ships; a stored demo of another version is replaced. */
  readonly demoVersion?: string;
  readonly fetch?: typeof fetch;
  /** Where the Hugging Face Hub is; another one in tests. */
  readonly hub?: string;
  /** Branch, tag or commit of a model on the Hub. */
  readonly revision?: string | undefined;
  /** Opens gated models. It goes into one header of requests to the Hub and nowhere else. */
  readonly token?: string | undefined;
  readonly retry?: RetryPolicy;
  readonly signal?: AbortSignal | undefined;
}

/** The repository that a source means. Throws 'bad-source' without a request; a name on the Hub is looked up. */
export async function openSource(
  source: string | readonly File[] | readonly ChosenFile[],
  options: SourceOptions,
): Promise<Repository> {
  return withTokenizerModel(await openPlace(source, options));
}

async function openPlace(
  source: string | readonly File[] | readonly ChosenFile[],
  options: SourceOptions,
): Promise<Repository> {
  if (typeof source !== 'string') return openFileRepository(source);
  const fetcher = options.fetch ?? globalThis.fetch.bind(globalThis);
  const { retry = defaultRetryPolicy } = options;
  const text = source.trim();
  if (text === 'demo') {
    const url = new URL('demo/', options.baseUrl);
    return openFolderRepository({
      id: 'demo',
      label: 'demo',
      revision: options.demoVersion ?? 'shipped',
      url,
      transport: { fetcher, retry },
    });
  }
  const hub = options.hub ?? hubEndpoint;
  const wanted = parseHubSource(text, hub);
  if (wanted) {
    const { token, signal } = options;
    const revision = options.revision ?? wanted.revision;
    return openHubRepository({ repo: wanted.repo, revision, hub, token, retry, signal, fetcher });
  }
  if (/^https?:\/\//i.test(text)) {
    const url = folderUrl(text);
    const transport = { fetcher, retry };
    return openFolderRepository({ id: `folder:${url.href}`, label: url.href, revision: null, url, transport });
  }
  if (/^[A-Za-z0-9][\w.-]*$/.test(text)) {
    throw badSource(`${show(text)} has no owner: a model on the Hugging Face Hub is owner/name`);
  }
  throw badSource(`${show(text)} is neither ${acceptedSources}`);
}

/** A folder's address with a slash at its end; the address of its config.json serves as well. Throws 'bad-source'. */
export function folderUrl(text: string): URL {
  if (!URL.canParse(text)) throw badSource(`${show(text)} is not an address`);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw badSource('the address holds a name or a password');
  if (url.search !== '') throw badSource(`${show(text)} has a query, a folder's address has none`);
  url.hash = '';
  url.pathname = url.pathname.replace(/\/config\.json$/, '/').replace(/([^/])$/, '$1/');
  return url;
}

function show(text: string): string {
  return text === '' ? 'nothing' : `'${text.length > 100 ? `${text.slice(0, 100)}…` : text}'`;
}

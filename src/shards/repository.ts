/** @file A place that model files come from, and the way from what a person typed or chose to one. */
import { LabError } from '../errors';
import { openFileRepository } from './fileRepository';
import { openFolderRepository } from './folderRepository';
import { acceptedSources, badSource } from './sourceErrors';

/** A file that a load will take. */
export interface RepositoryFile {
  readonly name: string;
  /** Bytes, where the place tells before the file is opened. */
  readonly size: number | null;
  /** The model loads without it. */
  readonly optional: boolean;
}

export interface OpenedFile {
  /** Bytes that `stream` will give, where that is certain. */
  readonly size: number | null;
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
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
}

export interface SourceOptions {
  /** Address of the page: the demo lies in 'demo/' beside it. */
  readonly baseUrl: string;
  /** Version of the demo that this build ships; a stored demo of another version is replaced. */
  readonly demoVersion?: string;
  readonly fetch?: typeof fetch;
}

const hubId = /^(hf:)?[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*(@[\w./-]+)?$/;

/** The repository that a source means. Throws 'bad-source' or 'not-available' without a request. */
export async function openSource(source: string | readonly File[], options: SourceOptions): Promise<Repository> {
  if (typeof source !== 'string') return openFileRepository(source);
  const fetcher = options.fetch ?? globalThis.fetch.bind(globalThis);
  const text = source.trim();
  if (text === 'demo') {
    const url = new URL('demo/', options.baseUrl);
    return openFolderRepository({
      id: 'demo',
      label: 'demo',
      revision: options.demoVersion ?? 'shipped',
      url,
      fetcher,
    });
  }
  if (/^https?:\/\//i.test(text)) {
    const url = folderUrl(text);
    return openFolderRepository({ id: `folder:${url.href}`, label: url.href, revision: 'latest', url, fetcher });
  }
  if (hubId.test(text)) throw hubLater(text);
  throw badSource(`${show(text)} is neither ${acceptedSources}`);
}

/** A folder's address with a slash at its end; the address of its config.json serves as well. */
function folderUrl(text: string): URL {
  if (!URL.canParse(text)) throw badSource(`${show(text)} is not an address`);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw badSource('the address holds a name or a password');
  if (url.search !== '') throw badSource(`${show(text)} has a query, a folder's address has none`);
  url.hash = '';
  url.pathname = url.pathname.replace(/\/config\.json$/, '/').replace(/([^/])$/, '$1/');
  const [owner, name, kind] = url.pathname.split('/').filter((part) => part !== '');
  if (/(^|\.)huggingface\.co$/.test(url.hostname) && owner && name && kind !== 'resolve') {
    throw hubLater(`${owner}/${name}`);
  }
  return url;
}

function hubLater(text: string): LabError {
  const name = text.replace(/^hf:/, '').replace(/@.*$/, '');
  return new LabError(
    'not-available',
    `Loading ${show(name)} by its name on the Hugging Face Hub comes in a later version.`,
    `What works today: ${acceptedSources}; for this model the address https://huggingface.co/${name.slice(0, 100)}/resolve/main/ may do.`,
  );
}

function show(text: string): string {
  return text === '' ? 'nothing' : `'${text.length > 100 ? `${text.slice(0, 100)}…` : text}'`;
}

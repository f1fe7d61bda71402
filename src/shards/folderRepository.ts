/** @file A folder on a web server, the page's own demo included: each file is one request. */
import { decodeText, htmlInsteadOf, maxTextBytes } from './json';
import { configFile, demoFiles, filesInOrder, optionalFiles } from './modelFiles';
import type { OpenedFile, Repository, RepositoryFile } from './repository';
import { indexFile } from './shardIndex';
import { httpError, missingConfig, missingFile, networkError } from './sourceErrors';
import { collect } from './streams';
import { chooseWeights, type WeightChoice } from './weightFiles';

export interface FolderOptions {
  readonly id: string;
  readonly label: string;
  readonly revision: string;
  /** Ends with a slash. */
  readonly url: URL;
  readonly fetcher: typeof fetch;
}

export function openFolderRepository({ id, label, revision, url, fetcher }: FolderOptions): Repository {
  const request = (file: string, init: RequestInit): Promise<Response> =>
    // The store is the cache: a second copy in the browser's own would cost the disk twice, and might be an old one.
    fetcher(new URL(file.split('/').map(encodeURIComponent).join('/'), url), { ...init, cache: 'no-store' }).catch(
      (thrown) => {
        throw networkError(`${file} of ${label}`, thrown);
      },
    );

  /** The answer to a request for a file, or null where the server has none. */
  const get = async (file: string, signal: AbortSignal | undefined, method = 'GET'): Promise<Response | null> => {
    const response = await request(file, { method, signal: signal ?? null });
    if (response.ok && !isPage(response)) return response;
    await response.body?.cancel();
    if (response.ok || isAbsent(response)) return null;
    throw httpError(file, label, response);
  };

  /** Size of a file without its bytes: undefined where there is none, null where the server does not tell. */
  const probe = async (file: string, signal: AbortSignal | undefined): Promise<number | null | undefined> => {
    const head = await request(file, { method: 'HEAD', signal: signal ?? null });
    if (head.ok) return isPage(head) ? undefined : statedSize(head);
    if (isAbsent(head)) return undefined;
    // Not every server answers HEAD: ask for the file, and leave its bytes.
    const response = await get(file, signal);
    await response?.body?.cancel();
    return response ? statedSize(response) : undefined;
  };

  let chosen: WeightChoice | null = null;

  /** The files of the weights with their sizes, and the index where there is one. */
  const weights = async (config: string, signal: AbortSignal | undefined) => {
    const sizes = new Map<string, number | null>();
    chosen = await chooseWeights({
      label,
      names: null,
      config,
      async has(name) {
        const size = await probe(name, signal);
        if (size !== undefined) sizes.set(name, size);
        return size !== undefined;
      },
      async text(name) {
        const response = await get(name, signal);
        if (!response) return null;
        return decodeText(
          await collect(bodyOf(response), `${name} of ${label}`, maxTextBytes, signal),
          name,
          'bad-weights',
        );
      },
    });
    const file = (name: string): RepositoryFile => ({ name, size: sizes.get(name) ?? null, optional: false });
    return { index: chosen.index ? file(indexFile) : null, shards: chosen.shards.map(file) };
  };

  return {
    id,
    label,
    revision,
    remote: true,
    async list(signal) {
      const config = await request(configFile, { signal: signal ?? null });
      if (!config.ok || isPage(config)) {
        await config.body?.cancel();
        if (config.status === 404 || config.status === 410) throw missingConfig(label);
        if (!config.ok) throw httpError(configFile, label, config);
        throw htmlInsteadOf(`${configFile} of ${label}`);
      }
      const what = `${configFile} of ${label}`;
      const text = new TextDecoder().decode(await collect(bodyOf(config), what, maxTextBytes, signal));
      const { index, shards } = await weights(text, signal);
      // Only the demo has a card and texts: asking every server for them would fill its log with 404s.
      const optional = id === 'demo' ? [...optionalFiles, ...demoFiles] : optionalFiles;
      const small = optional.map((name) => ({ name, size: null, optional: true }));
      return filesInOrder([{ name: configFile, size: null, optional: false }, ...small], shards, index);
    },
    weights: () => chosen,
    async open(file, options = {}): Promise<OpenedFile> {
      const response = await get(file, options.signal);
      if (!response) throw missingFile(file, label);
      return { size: certainSize(response), stream: bodyOf(response) };
    },
  };
}

/** The server has no such file. Object stores say 403 for what is not there; config.json has shown that we may read. */
function isAbsent(response: Response): boolean {
  return response.status === 403 || response.status === 404 || response.status === 410;
}

function bodyOf(response: Response): ReadableStream<Uint8Array<ArrayBuffer>> {
  return response.body ?? new Blob().stream();
}

/** Servers of single-page apps answer every address with a page; no file of a model is one. */
function isPage(response: Response): boolean {
  return /^\s*text\/html/i.test(response.headers.get('content-type') ?? '');
}

/** Content-Length: enough for estimates. */
function statedSize(response: Response): number | null {
  const text = response.headers.get('content-length') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/**
 * Content-Length where it surely counts what the stream gives: with a content encoding it counts compressed bytes,
 * and an answer from another origin hides whether there is one.
 */
function certainSize(response: Response): number | null {
  const hidden = response.type === 'cors' || response.headers.has('content-encoding');
  return hidden ? null : statedSize(response);
}

/**
 * @file The files of one build in the browser's cache. Each is stored under the hash of its bytes, so that builds share what did not
 * change, and nothing is stored whose bytes are not those of the build.
 */
import { type SiteFile, shellPath } from './files';

/** Requests at a time while the cache is filled. */
const parallel = 4;

export interface KeptFilesOptions {
  readonly files: readonly SiteFile[];
  /** Address of the page's folder; ends with a slash. */
  readonly scope: string;
  readonly open: () => Promise<Cache>;
  readonly fetch: (request: Request) => Promise<Response>;
}

export class KeptFiles {
  readonly #files: ReadonlyMap<string, SiteFile>;
  readonly #options: KeptFilesOptions;
  #filling: Promise<void> | null = null;
  /** Known only after it was true once: files are removed by the next build alone. */
  #complete = false;
  #closed = false;
  /** Accesses to the cache under way. */
  readonly #accesses = new Set<Promise<unknown>>();

  constructor(options: KeptFilesOptions) {
    this.#options = options;
    this.#files = new Map(options.files.map((file) => [file.path, file]));
  }

  /** From now on nothing opens the cache, which would make it again; resolves when no access is under way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#accesses.size > 0) await Promise.allSettled(this.#accesses);
  }

  /** The file of this build at a path below the page's folder. */
  fileAt(path: string): SiteFile | null {
    return this.#files.get(path) ?? null;
  }

  /** Whether the page works without a network. */
  async isComplete(): Promise<boolean> {
    if (this.#closed) return false;
    this.#complete ||= (await this.#missing()).length === 0;
    return this.#complete;
  }

  /**
   * The response to a request for a file of this build. Once the build is complete the cache answers first, so that all files are of
   * one build; before, the network does. `later` gets work that may go on after the response.
   */
  async answer(file: SiteFile, request: Request, later: (work: Promise<unknown>) => void): Promise<Response> {
    const isComplete = await this.isComplete();
    const kept = isComplete ? await this.#kept(file) : undefined;
    if (kept) return kept;
    try {
      const response = await this.#options.fetch(request);
      if (response.status === 200) later(this.#keep(file, response.clone()));
      return response;
    } catch (thrown) {
      const last = await this.#kept(file);
      if (last) return last;
      throw thrown;
    }
  }

  /**
   * Fetches what is missing for visits without a network.
   * @throws Error naming a file whose bytes are not those of this build: the host has another one
   */
  fill(): Promise<void> {
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = null;
    });
    return this.#filling;
  }

  /** Removes files of other builds. */
  async removeOthers(): Promise<void> {
    const ours = new Set(this.#options.files.map((file) => this.#key(file)));
    await this.#withCache(async (cache) => {
      for (const { url } of await cache.keys()) if (!ours.has(url)) await cache.delete(url);
    });
  }

  async #fill(): Promise<void> {
    const missing = await this.#missing();
    // The shell comes last: a browser that has it has seen all the others.
    missing.sort((a, b) => Number(a.path === shellPath) - Number(b.path === shellPath));
    const next = async (): Promise<void> => {
      for (let file = missing.shift(); file; file = missing.shift()) {
        const address = new URL(file.path, this.#options.scope).href;
        const response = await this.#options.fetch(new Request(address, { cache: 'no-cache' }));
        if (response.status !== 200 || !(await this.#keep(file, response)))
          throw new Error(
            `${file.path}: expected the file of this build, got another one (status ${response.status}).`,
          );
      }
    };
    await Promise.all(Array.from({ length: parallel }, next));
  }

  async #missing(): Promise<SiteFile[]> {
    const entries = (await this.#withCache((cache) => cache.keys())) ?? [];
    const keys = new Set(entries.map(({ url }) => url));
    return this.#options.files.filter((file) => file.keep === 'always' && !keys.has(this.#key(file)));
  }

  async #kept(file: SiteFile): Promise<Response | undefined> {
    return this.#withCache((cache) => cache.match(this.#key(file)));
  }

  /** Stores a file, if its bytes are those of this build; resolves to whether they are. */
  async #keep(file: SiteFile, response: Response): Promise<boolean> {
    const bytes = await response.arrayBuffer();
    if (hexadecimal(await crypto.subtle.digest('SHA-256', bytes)) !== file.sha256) return false;
    const type = response.headers.get('Content-Type');
    const headers = { 'Content-Length': `${bytes.byteLength}`, ...(type === null ? {} : { 'Content-Type': type }) };
    await this.#withCache((cache) => cache.put(this.#key(file), new Response(bytes, { headers })));
    return true;
  }

  /** Undefined once the files are closed. */
  async #withCache<T>(work: (cache: Cache) => Promise<T>): Promise<T | undefined> {
    if (this.#closed) return undefined;
    const access = this.#options.open().then(work);
    this.#accesses.add(access);
    try {
      return await access;
    } finally {
      this.#accesses.delete(access);
    }
  }

  #key({ sha256 }: SiteFile): string {
    return new URL(`kept/${sha256}`, this.#options.scope).href;
  }
}

function hexadecimal(buffer: ArrayBuffer): string {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

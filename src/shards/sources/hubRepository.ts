/**
 * @file A model on the Hugging Face Hub, pinned to one commit.
 *
 * Files come from `/resolve/`, which redirects to a signed address on another host that soon expires: each request goes
 * through `/resolve/` again, so that none is ever too old.
 */
import * as v from 'valibot';
import { type ErrorCode, LabError } from '../../errors';
import { decodeText, maxTextBytes, parseJson } from '../../io/json';
import { networkError } from '../../io/networkErrors';
import { defaultRetryPolicy, PassingFailure, type RetryPolicy } from '../../io/retry';
import { indexFile, isWeightsPath } from '../formats/shardIndex';
import { type Asked, ask, asking, bodyOf, readWhole, refused, steadyStream } from './http';
import { configFile, filesInOrder, optionalFilesOf, weightsFile } from './modelFiles';
import type { OpenedRange, Repository, RepositoryFile } from './repository';
import { missingConfig, missingFile } from './sourceErrors';
import { chooseWeights, type WeightChoice } from './weightFiles';

type Bytes = Uint8Array<ArrayBuffer>;

export const hubEndpoint = 'https://huggingface.co';

export interface HubOptions {
  readonly repo: string;
  /** The kind of repository; a model by default. */
  readonly kind?: 'model' | 'dataset';
  readonly revision: string;
  readonly hub: string;
  readonly token: string | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly signal: AbortSignal | undefined;
  readonly fetcher: typeof fetch;
}

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const infoSchema = v.object({
  sha: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/)),
  gated: v.optional(v.union([v.boolean(), v.string()])),
  cardData: v.nullish(v.object({ license: v.optional(v.unknown()) })),
  siblings: v.array(
    v.object({
      rfilename: v.string(),
      size: v.nullish(size),
      blobId: v.nullish(v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/))),
      lfs: v.nullish(v.object({ sha256: v.optional(digest), oid: v.optional(digest), size: v.optional(size) })),
    }),
  ),
});
export type HubInfo = v.InferOutput<typeof infoSchema>;

const commit = /^[0-9a-f]{40}$/;

/** Looks the revision up, unless it is a commit already. Throws 'missing-file', 'gated', 'network', 'bad-argument'. */
export async function openHubRepository(options: HubOptions): Promise<Repository> {
  if (options.token !== undefined && !/^[\x21-\x7e]{1,500}$/.test(options.token)) {
    throw new LabError(
      'bad-argument',
      'The token contains characters that are not allowed in tokens.',
      'Copy the token again.',
    );
  }
  const hub = new Hub(options);
  const info = commit.test(options.revision) ? null : await hub.info(options.signal);
  return repositoryOf(hub, options, info);
}

function repositoryOf(hub: Hub, { repo, revision }: HubOptions, found: HubInfo | null): Repository {
  const sha = found?.sha ?? revision;
  const label = `${repo}@${sha}`;
  let info = found;
  let chosen: WeightChoice | null = null;
  return {
    id: `hf:${repo}`,
    label,
    revision: sha,
    remote: true,
    about() {
      if (!info) return { licence: null, gated: false };
      const { license } = info.cardData ?? {};
      return {
        licence: typeof license === 'string' ? license.slice(0, 100) : null,
        gated: info.gated !== undefined && info.gated !== false,
      };
    },
    async list(signal) {
      info ??= await hub.info(signal);
      const files = new Map(info.siblings.map((file) => [file.rfilename, entryOf(file)]));
      const config = files.get(configFile);
      if (!config) throw missingConfig(label);
      const small = optionalFilesOf((name) => files.has(name)).map((name) => ({ ...files.get(name)!, optional: true }));
      const text = async (name: string, code: ErrorCode): Promise<string> =>
        decodeText(await hub.read(sha, name, signal), name, code);
      const standard = files.has(weightsFile) || files.has(indexFile);
      chosen = await chooseWeights({
        label,
        names: [...files.keys()],
        has: async (name) => files.has(name),
        text: async (name) => (files.has(name) ? text(name, 'bad-weights') : null),
        // One request less where the weights have the names that they have nearly everywhere.
        config: standard ? null : await text(configFile, 'bad-config'),
      });
      const weights = chosen.shards.map((shard) => files.get(shard)!);
      return filesInOrder([config, ...small], weights, chosen.index ? files.get(indexFile)! : null);
    },
    weights: () => chosen,
    async open(file, { signal } = {}) {
      // Of weights without a size in the list, as some mirrors have them.
      if (isWeightsPath(file)) return { size: null, stream: await hub.stream(sha, file, signal) };
      const bytes = await hub.read(sha, file, signal);
      return { size: bytes.length, stream: new Blob([bytes]).stream() };
    },
    range: (file, begin, end, signal) => hub.range(sha, file, begin, end, signal),
  };
}

/** A large file has a SHA-256, and the id of a pointer to it; a small one lies in git itself. */
function entryOf({ rfilename, size, blobId, lfs }: HubInfo['siblings'][number]): RepositoryFile {
  const entry = { name: rfilename, size: lfs?.size ?? size ?? null, optional: false };
  const sha256 = lfs?.sha256 ?? lfs?.oid;
  if (sha256 !== undefined) return { ...entry, sha256 };
  return !lfs && blobId ? { ...entry, gitId: blobId } : entry;
}

/** The requests that a model or a data set needs. */
export class Hub {
  readonly #options: HubOptions;
  readonly #retry: RetryPolicy;
  readonly #label: string;
  readonly #kind: 'model' | 'dataset';

  constructor(options: HubOptions) {
    this.#options = options;
    this.#kind = options.kind ?? 'model';
    this.#retry = options.retry ?? defaultRetryPolicy;
    this.#label = options.repo;
  }

  /** Commit, files with sizes and digests, licence. */
  async info(signal: AbortSignal | undefined): Promise<HubInfo> {
    const { repo, revision } = this.#options;
    const path = `api/${this.#kind}s/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
    const what = `revision ${revision}`;
    const bytes = await this.#whole(path, what, signal);
    const parsed = v.safeParse(infoSchema, parseJson(new TextDecoder().decode(bytes), what, 'network'));
    if (parsed.success) return parsed.output;
    const [issue] = parsed.issues;
    throw new LabError(
      'network',
      `${what} of ${repo}: the Hub's response is malformed (${v.getDotPath(issue) ?? 'answer'}: ${issue.message.slice(0, 200)}).`,
      "Enter the address of the model's folder on another host, or load its files from your disk.",
    );
  }

  /** A small file whole. */
  read(sha: string, file: string, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
    return this.#whole(this.#resolve(sha, file), file, signal);
  }

  /** A file from its beginning to its end, over breaks of the line. */
  async stream(sha: string, file: string, signal: AbortSignal | undefined): Promise<ReadableStream<Bytes>> {
    const line = { fetcher: this.#options.fetcher, retry: this.#retry };
    const asked = this.#asked(this.#resolve(sha, file), file);
    const first = await asking(asked, line, signal, async (response) => response);
    return steadyStream(asked, line, first, signal).stream;
  }

  async range(sha: string, file: string, begin: number, end: number | null, signal: AbortSignal): Promise<OpenedRange> {
    const headers: Record<string, string> = end === null ? {} : { Range: `bytes=${begin}-${end - 1}` };
    const asked = this.#asked(this.#resolve(sha, file), file, headers);
    const response = await ask(asked, this.#options.fetcher, signal);
    const stated = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '');
    const stream = bodyOf(response);
    if (response.status === 206 && stated && Number(stated[1]) !== begin) {
      await stream.cancel();
      throw new PassingFailure(networkError(`${file} of ${this.#label}`, new Error('the server sent another range')));
    }
    return { whole: response.status !== 206, stream };
  }

  #whole(path: string, file: string, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
    const line = { fetcher: this.#options.fetcher, retry: this.#retry };
    return readWhole(this.#asked(path, file), line, maxTextBytes, signal);
  }

  #resolve(sha: string, file: string): string {
    const path = file.split('/').map(encodeURIComponent).join('/');
    return `${this.#kind === 'dataset' ? 'datasets/' : ''}${this.#options.repo}/resolve/${sha}/${path}`;
  }

  #asked(path: string, file: string, headers: Record<string, string> = {}): Asked {
    const { hub, token } = this.#options;
    const url = new URL(path, hub.endsWith('/') ? hub : `${hub}/`);
    const authorization: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const init: RequestInit = {
      headers: { ...authorization, ...headers },
      cache: 'no-store', // a kept redirect would lead to an address that has expired
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    };
    return { url, file, label: this.#label, init, refusal: (response) => this.#refusal(response, url, file) };
  }

  #refusal(response: Response, asked: URL, file: string): LabError | PassingFailure {
    const { status } = response;
    const refusal = refused(file, this.#label, response);
    if (refusal instanceof PassingFailure) return refusal;
    // Refused by the host that /resolve/ led to: the signed address expired on the way. The next attempt gets a new one.
    const redirected = response.redirected && new URL(response.url).origin !== asked.origin;
    if (redirected && status === 403) return new PassingFailure(refusal);
    if (status === 401 || status === 403) return this.#locked(status);
    if (status === 404 && asked.pathname.includes('/resolve/')) return missingFile(file, this.#label);
    if (status === 404) {
      const { revision } = this.#options;
      const message = `${this.#label}: the Hub has no such ${this.#kind}, or it has no revision '${revision}'.`;
      return new LabError('missing-file', message, 'Check the spelling of name and revision.');
    }
    return refusal;
  }

  /** The Hub answers 401 for what does not exist, too, so that names of private models cannot be guessed. */
  #locked(status: number): LabError {
    const given = this.#options.token !== undefined;
    return new LabError(
      'gated',
      given
        ? `${this.#label}: the Hub refuses this token (${status}): it may be wrong, or its account has no access.`
        : `${this.#label}: the Hub requires a token (${status}): the ${this.#kind} is gated, private, or does not exist.`,
      given
        ? "Accept the model's conditions on its page at huggingface.co, and enter a token that may read it."
        : 'Check the name. For a gated model, accept its conditions at huggingface.co and enter a token that may read it.',
    );
  }
}

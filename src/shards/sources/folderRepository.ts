/** @file A folder on a web server, the page's own demo included: each file is one request. */
import { type ErrorCode, LabError } from '../../errors';
import { decodeText, htmlInsteadOf, maxTextBytes } from '../../io/json';
import type { RetryPolicy } from '../../io/retry';
import { collect } from '../../io/streams';
import { indexFile } from '../formats/shardIndex';
import type { StoredModel } from '../store/manifest';
import { compareValidators, type Validator, validatorOf } from '../store/validator';
import type { Comparable, Freshness } from './freshness';
import { type Asked, asking, certainSize, isPage, refused, statedSize, steadyStream, type Transport } from './http';
import { configFile, demoFiles, filesInOrder, optionalFiles, weightsFile } from './modelFiles';
import type { OpenedFile, Repository, RepositoryFile } from './repository';
import { missingConfig, missingFile } from './sourceErrors';
import { chooseWeights, type WeightChoice } from './weightFiles';

export interface FolderOptions {
  readonly id: string;
  readonly label: string;
  /** Null for a folder that names none: a stored copy is compared with it, file by file. */
  readonly revision: string | null;
  /** Ends with a slash. */
  readonly url: URL;
  readonly transport: Transport;
}

/** Before a server has answered at all, a mistyped address is likelier than a broken line. */
const firstAttempts = 2;
/** A server that refuses HEAD may answer GET. */
const headAttempts = 2;
/** Patience with a server when there is a stored copy, in ms. */
const shortSilence = 8_000;

export function openFolderRepository({ id, label, revision, url, transport }: FolderOptions): Repository {
  let answered = false;
  const fetcher: typeof fetch = async (input, init) => {
    const response = await transport.fetcher(input, init);
    answered = true;
    return response;
  };
  const retry = (): RetryPolicy => {
    const { attempts, ...rest } = transport.retry;
    return { ...rest, attempts: answered ? attempts : Math.min(attempts, firstAttempts) };
  };

  const asked = (file: string, method: string): Asked => ({
    url: new URL(file.split('/').map(encodeURIComponent).join('/'), url),
    file,
    label,
    // The store is the cache: a second copy in the browser's own would cost the disk twice, and might be an old one.
    init: { method, cache: 'no-store' },
    refusal: (response) => (isAbsent(response) ? new Absent(response.status) : refused(file, label, response)),
  });

  /** The answer to a request for a file, its body unread; null where the server has none. */
  const get = async (
    file: string,
    signal: AbortSignal | undefined,
    method = 'GET',
    policy = retry(),
  ): Promise<Response | null> => {
    try {
      const line = { fetcher, retry: policy };
      const response = await asking(asked(file, method), line, signal, async (answer) => answer);
      if (!isPage(response)) return response;
      await response.body?.cancel();
      return null;
    } catch (thrown) {
      if (thrown instanceof Absent) return null;
      throw thrown;
    }
  };

  /** What the server says of a file without its bytes; null where there is none. */
  const probe = async (
    file: string,
    signal: AbortSignal | undefined,
    policy = retry(),
  ): Promise<{ size: number | null; validator: Validator } | null> => {
    const about = (response: Response) => ({ size: statedSize(response), validator: validatorOf(response) });
    try {
      const { attempts, ...rest } = policy;
      const head = await get(file, signal, 'HEAD', { ...rest, attempts: Math.min(attempts, headAttempts) });
      return head && about(head);
    } catch (thrown) {
      const answered = thrown instanceof LabError && thrown.code === 'network' && thrown.cause === undefined;
      if (!answered) throw thrown;
      // Not every server answers HEAD: ask for the file, and leave its bytes.
      const response = await get(file, signal, 'GET', policy);
      await response?.body?.cancel();
      return response && about(response);
    }
  };

  /** Text of a file whose first answer is there. */
  const textOf = async (file: string, response: Response, signal: AbortSignal | undefined, code: ErrorCode) => {
    const { stream } = steadyStream(asked(file, 'GET'), { fetcher, retry: retry() }, response, signal);
    return decodeText(await collect(stream, `${file} of ${label}`, maxTextBytes, signal), file, code);
  };

  const configText = async (signal: AbortSignal | undefined): Promise<string> => {
    const line = { fetcher, retry: retry() };
    const config = await asking(asked(configFile, 'GET'), line, signal, async (answer) => answer).catch(
      (thrown: unknown) => {
        if (!(thrown instanceof Absent)) throw thrown;
        // Here nothing has shown yet that we may read.
        throw thrown.status === 403 ? thrown.refusal(configFile, label) : missingConfig(label);
      },
    );
    if (!isPage(config)) return textOf(configFile, config, signal, 'bad-config');
    await config.body?.cancel();
    throw htmlInsteadOf(`${configFile} of ${label}`);
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
        const found = await probe(name, signal);
        if (found) sizes.set(name, found.size);
        return found !== null;
      },
      async text(name) {
        const response = await get(name, signal);
        return response && textOf(name, response, signal, 'bad-weights');
      },
    });
    const file = (name: string): RepositoryFile => ({ name, size: sizes.get(name) ?? null, optional: false });
    return { index: chosen.index ? file(indexFile) : null, shards: chosen.shards.map(file) };
  };

  const list = async (signal: AbortSignal | undefined): Promise<RepositoryFile[]> => {
    const { index, shards } = await weights(await configText(signal), signal);
    // Only the demo has a card and texts: asking every server for them would fill its log with 404s.
    const optional = id === 'demo' ? [...optionalFiles, ...demoFiles] : optionalFiles;
    const small: RepositoryFile[] = optional.map((name) => ({ name, size: null, optional: true }));
    return filesInOrder([{ name: configFile, size: null, optional: false }, ...small], shards, index);
  };

  /** Of these files: which are others now, and whether the server tells of all. */
  const compare = async (files: readonly Comparable[], signal: AbortSignal | undefined, policy: RetryPolicy) => {
    const answers = await Promise.all(
      files.map(async ({ name, size, validator }) => {
        const now = await probe(validator?.file ?? name, signal, policy);
        if (!now) return 'changed';
        const none: Validator = { etag: null, modified: null, length: null, recent: false };
        const known = validator ?? none;
        // What was made of a file has another length than the file.
        const length = known.length ?? (known.file === undefined ? size : null);
        // Some servers say 0 where they leave the bytes out.
        const said = now.validator.length === 0 ? { ...now.validator, length: null } : now.validator;
        return compareValidators({ ...known, length }, said);
      }),
    );
    const changed = files.filter((_, i) => answers[i] === 'changed').map(({ name }) => name);
    return { changed, allTold: !answers.includes('unknown') };
  };

  /** Which files a stored copy and the folder have, and which of them are others now. */
  const freshness = async (stored: StoredModel, signal: AbortSignal | undefined): Promise<Freshness> => {
    const policy: RetryPolicy = {
      ...transport.retry,
      attempts: 1,
      silence: Math.min(transport.retry.silence, shortSilence),
      line: null,
    };
    try {
      if (!(await probe(configFile, signal, policy))) {
        return { state: 'unreachable', reason: `${configFile} is no longer there` };
      }
      const { changed, allTold } = await compare(stored.files, signal, policy);
      const has = (name: string): boolean =>
        stored.files.some((file) => file.name === name || file.validator?.file === name);
      // Where shards were stored by their index, one whole file would be read instead of them.
      const instead = has(indexFile) ? [weightsFile] : [];
      const others = [...instead, ...optionalFiles].filter((name) => !has(name));
      const come = await Promise.all(others.map((name) => probe(name, signal, policy)));
      const files = [...changed, ...others.filter((_, i) => come[i])];
      if (files.length > 0) return { state: 'changed', files };
      return { state: allTold ? 'same' : 'unknown' };
    } catch (thrown) {
      if (!(thrown instanceof LabError) || thrown.code === 'aborted') throw thrown;
      return { state: 'unreachable', reason: thrown.message.replace(/\.$/, '') };
    }
  };

  return {
    id,
    label,
    revision: revision ?? 'latest',
    remote: true,
    list,
    weights: () => chosen,
    async open(file, { signal } = {}): Promise<OpenedFile> {
      const response = await get(file, signal);
      if (!response) throw missingFile(file, label);
      const { stream, sha256 } = steadyStream(asked(file, 'GET'), { fetcher, retry: retry() }, response, signal);
      return { size: certainSize(response), stream, validator: validatorOf(response), sha256 };
    },
    async changedSince(files, signal) {
      const told = files.filter(({ validator }) => validator !== undefined);
      try {
        return (await compare(told, signal, retry())).changed;
      } catch (thrown) {
        // The files are here and checked by themselves; a server that has gone since takes nothing from that.
        if (thrown instanceof LabError && thrown.code === 'network') return [];
        throw thrown;
      }
    },
    ...(revision === null ? { freshness } : {}),
  };
}

/** The server has no such file. Object stores say 403 for what is not there; config.json has shown that we may read. */
function isAbsent(response: Response): boolean {
  return response.status === 403 || response.status === 404 || response.status === 410;
}

/** Carries that answer out of the attempts. */
class Absent extends LabError {
  readonly status: number;

  constructor(status: number) {
    super('missing-file', `The server answered ${status}.`, 'Check the folder for this file.');
    this.status = status;
  }

  /** What it means where we may not read at all. */
  refusal(file: string, label: string): LabError {
    const refusal = refused(file, label, new Response(null, { status: this.status }));
    return refusal instanceof LabError ? refusal : refusal.failure;
  }
}

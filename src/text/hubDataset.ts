/** @file A data set on the Hugging Face Hub, pinned to one commit: its files, read by byte ranges. */
import { LabError } from '../errors';
import { silentError } from '../io/networkErrors';
import {
  defaultRetryPolicy,
  offlineStage,
  PassingFailure,
  type Pulse,
  type RetryPolicy,
  waitStage,
  whileAlive,
  withRetries,
} from '../io/retry';
import { collect } from '../io/streams';
import { Hub, type HubInfo, hubEndpoint } from '../shards/sources/hubRepository';
import type { TaskOptions } from '../task';
import type { ByteSource } from './readers/parquet';

export interface HubDatasetOptions extends TaskOptions {
  /** Where the Hub is; another one in tests. */
  hub?: string | undefined;
  retry?: RetryPolicy | undefined;
}

export interface HubDataset {
  /** The commit. */
  readonly sha: string;
  /** All files of the commit. */
  readonly siblings: HubInfo['siblings'];
  /** A file whose bytes come when they are asked for, each range tried again as the retry policy says. */
  open(file: DatasetFile): ByteSource;
}

/** Path within the data set, and bytes. */
export interface DatasetFile {
  readonly name: string;
  readonly size: number;
}

/** Longest range that one request asks for, bytes. */
const maxRange = 2 ** 27;

/**
 * Looks a data set up. Progress tells the bytes that came of all files together.
 * @param title names the data set in stages of progress
 * @throws LabError 'missing-file', 'gated', 'network'
 */
export async function openHubDataset(
  { repository, revision }: { repository: string; revision: string },
  title: string,
  { hub: endpoint = hubEndpoint, retry: policy = defaultRetryPolicy, signal, onProgress }: HubDatasetOptions,
): Promise<HubDataset> {
  const say = (stage: string): void => onProgress?.({ stage, done: 0, total: 0, unit: 'bytes' });
  const retry: RetryPolicy = {
    ...policy,
    onWait: (wait) => (wait < 2000 ? undefined : say(waitStage(wait))),
    onOffline: () => say(offlineStage),
  };
  const fetcher = globalThis.fetch.bind(globalThis);
  const hub = new Hub({
    repo: repository,
    kind: 'dataset',
    revision,
    hub: endpoint,
    token: undefined,
    retry,
    signal,
    fetcher,
  });
  say(`Looking up ${title}`);
  const { sha, siblings } = await hub.info(signal);
  let received = 0;
  const heard = (bytes: number): void => {
    received += bytes;
    onProgress?.({ stage: `Fetching ${title}`, done: received, total: 0, unit: 'bytes' });
  };
  return {
    ...{ sha, siblings },
    open: ({ name, size }) => ({ name, size, slice: sliceOf(hub, sha, name, retry, heard) }),
  };
}

/** Byte ranges of a file, each tried again as the retry policy says. */
function sliceOf(
  hub: Hub,
  sha: string,
  file: string,
  retry: RetryPolicy,
  heard: (bytes: number) => void,
): ByteSource['slice'] {
  return (begin, end, signal) => {
    const attempt = async (own: AbortSignal, alive: Pulse): Promise<ArrayBuffer> => {
      const { whole, stream } = await hub.range(sha, file, begin, end, own);
      // A server that ignores ranges sends the file from its start.
      const expected = whole ? end : end - begin;
      const bytes = await collect(stream, file, maxRange, own, alive).catch((thrown: unknown) => {
        throw thrown instanceof LabError && thrown.code === 'network' ? new PassingFailure(thrown) : thrown;
      });
      if (whole ? bytes.length < expected : bytes.length !== expected) {
        const message = `${file}: expected ${expected} bytes, got ${bytes.length}.`;
        throw new PassingFailure(new LabError('network', message, 'Check the connection, then try again.'));
      }
      heard(bytes.length);
      return (whole ? bytes.subarray(begin, end) : bytes).slice().buffer;
    };
    const patient = () => whileAlive(attempt, retry.silence, signal, () => silentError(file, retry.silence));
    return withRetries(patient, retry, signal);
  };
}

/** Files whose size the Hub tells and that have bytes, by name. */
export function filesMatching(siblings: HubInfo['siblings'], isWanted: (name: string) => boolean): DatasetFile[] {
  return siblings
    .filter(({ rfilename }) => isWanted(rfilename))
    .map(({ rfilename, size, lfs }) => ({ name: rfilename, size: lfs?.size ?? size ?? 0 }))
    .filter(({ size }) => size > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

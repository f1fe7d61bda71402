/**
 * @file A text from the parquet files of a data set on the Hugging Face Hub, pinned to one commit: the footer and as many
 * row groups as are needed come by byte ranges.
 */
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
import { missingFile } from '../shards/sources/sourceErrors';
import type { TaskOptions } from '../task';
import type { CorpusEntry } from './corpora';
import { DocumentCollector, type Documents } from './documents';
import { type ByteSource, collectParquet } from './readers/parquet';

export interface HubCorpus extends Documents {
  /** 'hf:owner/name@commit/config/split', what a report says. */
  readonly source: string;
  /** The commit. */
  readonly revision: string;
}

export interface HubCorpusOptions extends TaskOptions {
  /** Where the Hub is; another one in tests. */
  hub?: string | undefined;
  retry?: RetryPolicy | undefined;
}

/** Longest range that one request asks for. */
const maxRange = 2 ** 27;

/**
 * Fetches the rows of a corpus, from a mirror where its first place lacks them.
 * Throws 'missing-file', 'gated', 'network', 'bad-source'.
 */
export async function fetchHubCorpus(entry: CorpusEntry, options: HubCorpusOptions = {}): Promise<HubCorpus> {
  const [first, ...mirrors] = [{ repository: entry.repository, revision: entry.revision }, ...entry.mirrors];
  try {
    return await fetchFrom(first!, entry, options);
  } catch (thrown) {
    const absent = thrown instanceof LabError && (thrown.code === 'missing-file' || thrown.code === 'gated');
    const [next, ...rest] = mirrors;
    if (!absent || !next) throw thrown;
    return fetchHubCorpus({ ...entry, ...next, mirrors: rest }, options);
  }
}

async function fetchFrom(
  { repository, revision }: { repository: string; revision: string },
  entry: CorpusEntry,
  { hub: endpoint = hubEndpoint, retry: policy = defaultRetryPolicy, signal, onProgress }: HubCorpusOptions,
): Promise<HubCorpus> {
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
  onProgress?.({ stage: `Looking up ${entry.title}`, done: 0, total: 0, unit: 'bytes' });
  const info = await hub.info(signal);
  const files = parquetFiles(info, entry);
  const source = `hf:${repository}@${info.sha}/${entry.config}/${entry.split}`;
  if (files.length === 0) throw missingFile(`${entry.config}/${entry.split}/*.parquet`, `${repository}@${info.sha}`);
  const collector = new DocumentCollector(entry.title, entry.rows);
  let received = 0;
  const heard = (bytes: number): void => {
    received += bytes;
    onProgress?.({ stage: `Fetching ${entry.title}`, done: received, total: 0, unit: 'bytes' });
  };
  for (const { name, size } of files) {
    const bytes: ByteSource = { name, size, slice: sliceOf(hub, info.sha, name, retry, heard) };
    await collectParquet(bytes, collector, { column: entry.column, signal });
    if (collector.full) break;
  }
  return { ...collector.finish(true), source, revision: info.sha };
}

/**
 * The files of a split, in order: as data sets name them ('config/test-00000-of-00001.parquet') and as the Hub's own
 * conversion does ('config/test/0000.parquet'; 'config/partial-test/…' where it converted only the beginning).
 */
export function parquetFiles(
  { siblings }: Pick<HubInfo, 'siblings'>,
  { config, split }: Pick<CorpusEntry, 'config' | 'split'>,
): { name: string; size: number }[] {
  const exact = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`^${exact(config)}/(partial-)?${exact(split)}[/-][^/]*\\.parquet$`);
  return siblings
    .filter(({ rfilename }) => pattern.test(rfilename))
    .map(({ rfilename, size, lfs }) => ({ name: rfilename, size: lfs?.size ?? size ?? 0 }))
    .filter(({ size }) => size > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
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

/**
 * @file A text from the parquet files of a data set on the Hugging Face Hub, pinned to one commit: the footer and as many
 * row groups as are needed come by byte ranges.
 */
import { LabError } from '../errors';
import type { HubInfo } from '../shards/sources/hubRepository';
import { missingFile } from '../shards/sources/sourceErrors';
import type { CorpusEntry } from './corpora';
import { DocumentCollector, type Documents } from './documents';
import { type DatasetFile, filesMatching, type HubDatasetOptions, openHubDataset } from './hubDataset';
import { collectParquet } from './readers/parquet';

export interface HubCorpus extends Documents {
  /** 'hf:owner/name@commit/config/split', what a report says. */
  readonly source: string;
  /** The commit. */
  readonly revision: string;
}

/**
 * Fetches the rows of a corpus, from a mirror where its first place lacks them.
 * Throws 'missing-file', 'gated', 'network', 'bad-source'.
 */
export async function fetchHubCorpus(entry: CorpusEntry, options: HubDatasetOptions = {}): Promise<HubCorpus> {
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
  place: { repository: string; revision: string },
  entry: CorpusEntry,
  options: HubDatasetOptions,
): Promise<HubCorpus> {
  const dataset = await openHubDataset(place, entry.title, options);
  const files = parquetFiles(dataset, entry);
  const label = `${place.repository}@${dataset.sha}`;
  if (files.length === 0) throw missingFile(`${entry.config}/${entry.split}/*.parquet`, label);
  const collector = new DocumentCollector(entry.title, entry.rows);
  for (const file of files) {
    await collectParquet(dataset.open(file), collector, { column: entry.column, signal: options.signal });
    if (collector.full) break;
  }
  return {
    ...collector.finish(true),
    source: `hf:${label}/${entry.config}/${entry.split}`,
    revision: dataset.sha,
  };
}

/**
 * The files of a split, in order: as data sets name them ('config/test-00000-of-00001.parquet') and as the Hub's own
 * conversion does ('config/test/0000.parquet'; 'config/partial-test/…' where it converted only the beginning).
 */
export function parquetFiles(
  { siblings }: Pick<HubInfo, 'siblings'>,
  { config, split }: Pick<CorpusEntry, 'config' | 'split'>,
): DatasetFile[] {
  const exact = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`^${exact(config)}/(partial-)?${exact(split)}[/-][^/]*\\.parquet$`);
  return filesMatching(siblings, (name) => pattern.test(name));
}

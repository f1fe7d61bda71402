/** @file Which data set of the Hugging Face Hub a text names, and which of its files hold the pairs. Pure. */
import { LabError } from '../errors';
import type { HubInfo } from '../shards/sources/hubRepository';
import { type DatasetFile, filesMatching } from '../text/hubDataset';

export interface DatasetName {
  readonly repository: string;
  /** Null where the text names none. */
  readonly revision: string | null;
}

/**
 * Reads 'owner/name', 'owner/name@revision' or the address of a data set's page.
 * @throws LabError 'bad-argument'
 */
export function datasetName(text: string): DatasetName {
  const page = /^https?:\/\/[^/]+\/datasets\/([^/?#]+\/[^/?#]+)(?:\/(?:tree|blob|viewer)\/([^/?#]+).*|\/?(?:[?#].*)?)$/;
  const [, path, branch] = page.exec(text.trim()) ?? [];
  const [, repository, revision] = /^(\w[\w.-]*\/\w[\w.-]*)(?:@(\S{1,200}))?$/.exec(path ?? text.trim()) ?? [];
  if (repository === undefined) {
    throw new LabError(
      'bad-argument',
      `dataset: expected the name of a data set on the Hugging Face Hub, owner/name, got '${text.slice(0, 100)}'.`,
      'Copy the name from its page, for example tatsu-lab/alpaca.',
    );
  }
  // A page of the viewer names a config in this place, not a revision.
  const isViewer = /\/viewer\//.test(text);
  return { repository, revision: revision ?? (isViewer ? null : (branch ?? null)) };
}

/** What the files of pairs are called, the form that is read by ranges first. */
const forms = [/\.parquet$/i, /\.(jsonl|ndjson)$/i, /\.json$/i];
/** JSON files of a data set that hold no rows. */
const about = /(^|\/)(\.[^/]*|dataset_infos?\.json|config\.json|state\.json)$/i;

/**
 * The files with the pairs, in their order: the shards of one split, in the first form that the data set has.
 * @param split the word that their paths name; without it 'train', or any where no path names that
 */
export function pairFiles(siblings: HubInfo['siblings'], split: string | undefined): DatasetFile[] {
  const word = (split ?? 'train').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const named = new RegExp(`(^|[^a-z0-9])${word}([^a-z0-9]|$)`, 'i');
  for (const form of forms) {
    const all = filesMatching(siblings, (name) => form.test(name) && !about.test(name));
    const ofSplit = all.filter(({ name }) => named.test(name));
    const found = ofSplit.length > 0 || split !== undefined ? ofSplit : all;
    const [first] = found;
    if (first) return found.filter(({ name }) => stem(name) === stem(first.name));
  }
  return [];
}

/** A path without the number of its shard: 'data/train-00000-of-00002-a09b74b3.parquet' and 'data/train/0000.parquet' give 'data/train'. */
export function stem(path: string): string {
  return path.replace(/[-_/]?\d{4,5}(-of-\d{4,5})?(-[0-9a-f]{8,})?\.[a-z]+$/i, '');
}

/** @file The model that the page's address names, found without any request. */
import { hubEndpoint } from '../../shards/sources/hubRepository';
import { parseHubSource } from '../../shards/sources/hubSource';
import { folderUrl } from '../../shards/sources/openSource';
import { type SourceId, sourceId } from '../../shards/sources/sourceId';

/** A model that the page opens only when the user says so. */
export interface ModelLink {
  /** A source of `lab.load`. */
  readonly source: string;
  readonly kind: 'hub' | 'folder';
  /** The server that would be asked for it. Names in other alphabets are in their ASCII form, so that none looks like another. */
  readonly host: string;
  /** 'owner/name', or the folder's path. */
  readonly name: string;
  /** Branch, tag or commit; null for a folder. */
  readonly revision: string | null;
  /** Why the page does not open it by itself: a link named it, or it was open last and is stored no more. */
  readonly reason: 'link' | 'gone';
}

/** The facts that the page shows of a source before any request. Throws 'bad-source'. */
export function linkOf(source: string, hub: string | null, reason: ModelLink['reason']): ModelLink | null {
  const text = source.trim();
  const endpoint = hub ?? hubEndpoint;
  const { kind } = sourceId(text, endpoint);
  if (kind === 'demo' || kind === 'files') return null;
  if (kind === 'folder') {
    const url = folderUrl(text);
    return { source: url.href, kind, host: url.host, name: url.pathname, revision: null, reason };
  }
  const wanted = parseHubSource(text, endpoint);
  if (!wanted) return null;
  const { repo, revision } = wanted;
  return { source: `${repo}@${revision}`, kind, host: new URL(endpoint).host, name: repo, revision, reason };
}

/** Whether two sources mean one model, whatever its revision. */
export function sameModel(a: string, b: string, hub: string | null): boolean {
  const idOf = (source: string): SourceId | null => {
    try {
      return sourceId(source, hub ?? hubEndpoint);
    } catch {
      return null;
    }
  };
  const [first, second] = [idOf(a), idOf(b)];
  return first !== null && second !== null && first.id === second.id;
}

/** @file The stored model that a source means, told without any request. */
import { parseHubSource } from './hubSource';
import { folderUrl } from './openSource';
import { badSource } from './sourceErrors';

export interface SourceId {
  /** Where its bytes come from. */
  readonly kind: 'demo' | 'files' | 'hub' | 'folder';
  /** The id under which it is stored. */
  readonly id: string;
  /** Branch, tag or commit that is asked for; null where there is none to choose. */
  readonly revision: string | null;
}

/** Throws 'bad-source' for text that cannot name a model. `hub` is the Hub's address. */
export function sourceId(source: string, hub: string): SourceId {
  const text = source.trim();
  if (text === 'demo') return { kind: 'demo', id: 'demo', revision: null };
  if (text.startsWith('files:')) return { kind: 'files', id: text, revision: null };
  const wanted = parseHubSource(text, hub);
  if (wanted) return { kind: 'hub', id: `hf:${wanted.repo}`, revision: wanted.revision };
  if (!/^https?:\/\//i.test(text))
    throw badSource(`${text === '' ? 'nothing' : `'${text.slice(0, 100)}'`} names no model`);
  return { kind: 'folder', id: `folder:${folderUrl(text).href}`, revision: null };
}

/** The stored model that a source names: for a branch's default any revision, for a commit that one. */
export function storedAs<T extends { readonly id: string; readonly revision: string }>(
  stored: readonly T[],
  { id, revision }: SourceId,
): T | null {
  const found = stored.find((model) => model.id === id);
  if (!found) return null;
  const any = revision === null || revision === 'main' || !found.id.startsWith('hf:');
  return any || found.revision === revision ? found : null;
}

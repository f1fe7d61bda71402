/** @file From a source that a user typed or chose to its repository. */

import { defaultRetryPolicy, type RetryPolicy } from '../../io/retry';
import type { ChosenFile } from './chosenFiles';
import { openFileRepository } from './fileRepository';
import { openFolderRepository } from './folderRepository';
import { hubEndpoint, openHubRepository } from './hubRepository';
import { parseHubSource } from './hubSource';
import type { Repository } from './repository';
import { acceptedSources, badSource } from './sourceErrors';
import { withTokenizerModel } from './tokenizerModel';

export interface SourceOptions {
  /** Address of the page: the demo lies in 'demo/' beside it. */
  readonly baseUrl: string;
  /** Version of the demo that this build ships; a stored demo of another version is replaced. */
  readonly demoVersion?: string;
  readonly fetch?: typeof fetch;
  /** Where the Hugging Face Hub is; another one in tests. */
  readonly hub?: string;
  /** Branch, tag or commit of a model on the Hub. */
  readonly revision?: string | undefined;
  /** Opens gated models. It goes into one header of requests to the Hub and nowhere else. */
  readonly token?: string | undefined;
  readonly retry?: RetryPolicy;
  readonly signal?: AbortSignal | undefined;
}

/** The repository that a source means. Throws 'bad-source' without a request; a name on the Hub is looked up. */
export async function openSource(
  source: string | readonly File[] | readonly ChosenFile[],
  options: SourceOptions,
): Promise<Repository> {
  return withTokenizerModel(await openPlace(source, options));
}

async function openPlace(
  source: string | readonly File[] | readonly ChosenFile[],
  options: SourceOptions,
): Promise<Repository> {
  if (typeof source !== 'string') return openFileRepository(source);
  const fetcher = options.fetch ?? globalThis.fetch.bind(globalThis);
  const { retry = defaultRetryPolicy } = options;
  const text = source.trim();
  if (text === 'demo') {
    const url = new URL('demo/', options.baseUrl);
    return openFolderRepository({
      id: 'demo',
      label: 'demo',
      revision: options.demoVersion ?? 'shipped',
      url,
      transport: { fetcher, retry },
    });
  }
  const hub = options.hub ?? hubEndpoint;
  const wanted = parseHubSource(text, hub);
  if (wanted) {
    const { token, signal } = options;
    const revision = options.revision ?? wanted.revision;
    return openHubRepository({ repo: wanted.repo, revision, hub, token, retry, signal, fetcher });
  }
  if (/^https?:\/\//i.test(text)) {
    const url = folderUrl(text);
    const transport = { fetcher, retry };
    return openFolderRepository({ id: `folder:${url.href}`, label: url.href, revision: null, url, transport });
  }
  if (/^[A-Za-z0-9][\w.-]*$/.test(text)) {
    throw badSource(`${show(text)} has no owner: a model on the Hugging Face Hub is owner/name`);
  }
  throw badSource(`${show(text)} is neither ${acceptedSources}`);
}

/** A folder's address with a slash at its end; the address of its config.json serves as well. Throws 'bad-source'. */
export function folderUrl(text: string): URL {
  if (!URL.canParse(text)) throw badSource(`${show(text)} is not an address`);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw badSource('the address contains a user name or password');
  if (url.search !== '') throw badSource(`${show(text)} has a query; a folder address must not have one`);
  url.hash = '';
  url.pathname = url.pathname.replace(/\/config\.json$/, '/').replace(/([^/])$/, '$1/');
  return url;
}

function show(text: string): string {
  return text === '' ? 'nothing' : `'${text.length > 100 ? `${text.slice(0, 100)}…` : text}'`;
}

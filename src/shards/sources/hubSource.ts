/** @file Parses a model on the Hugging Face Hub: its name, or an address from the address bar. */
import { badSource } from './sourceErrors';

export interface HubSource {
  /** 'owner/name'. */
  readonly repo: string;
  /** Branch, tag or commit; 'main' unless given. */
  readonly revision: string;
}

const part = /^[A-Za-z0-9][\w.-]{0,95}$/;
const revisionForm = /^[A-Za-z0-9][\w./-]{0,199}$/;
const byName = /^(?:hf:(?:\/\/)?)?([^/@\s:]+)\/([^/@\s:]+)(?:@(.+))?$/;
/** Browsers show addresses without their scheme, and some copy them so. */
const withoutScheme = /^(?:www\.)?(?:huggingface|hf)\.co\//i;
/** Pages under huggingface.co that look like an owner and are none: what they are. */
const notOwners = new Map([
  ['datasets', 'a data set'],
  ['spaces', 'a space'],
  ['docs', 'a page of the documentation'],
  ['api', 'an address of its API'],
  ['papers', 'a paper'],
  ['collections', 'a collection'],
  ['models', 'a list of models'],
]);
/** Pages of a model that show one of its revisions. */
const ofRevision = new Set(['tree', 'blob', 'resolve', 'raw', 'blame', 'commit', 'commits']);

/** The repository that `text` names, or null where it names none. `hub` is the Hub's address. Throws 'bad-source'. */
export function parseHubSource(text: string, hub: string): HubSource | null {
  const address = withoutScheme.test(text) ? `https://${text}` : text;
  const named = byName.exec(address);
  if (named) return checked(named[1]!, named[2]!, named[3] ?? 'main');
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return null;
  const url = new URL(address);
  const isHub = url.origin === new URL(hub).origin || /^(www\.)?(huggingface\.co|hf\.co)$/.test(url.hostname);
  if (!isHub) return null;
  if (url.username !== '' || url.password !== '') throw badSource('the address contains a user name or password');
  const [owner, name, kind = '', ...rest] = url.pathname.split('/').filter((each) => each !== '');
  if (owner !== undefined) refuseOtherPages(owner);
  if (owner === undefined || name === undefined) {
    throw badSource('the address is on the Hugging Face Hub, but it is not a model: a model is owner/name');
  }
  return checked(owner, name, ofRevision.has(kind) ? revisionOf(kind, rest) : 'main');
}

/** The revision in the rest of a page's path. The Hub writes the slash of a branch's name as %2F. */
function revisionOf(kind: string, [first, ...more]: readonly string[]): string {
  if (first === undefined) return 'main';
  if (first === 'refs' && more.length >= 2) return `refs/${more[0]}/${more[1]}`;
  if (kind === 'tree' && more.length > 0) {
    throw badSource(`the address is the folder ${more.join('/').slice(0, 100)} within a model; only its root is read`);
  }
  try {
    return decodeURIComponent(first);
  } catch {
    throw badSource(`'${first.slice(0, 100)}' is not a revision`);
  }
}

function refuseOtherPages(owner: string): void {
  const page = notOwners.get(owner.toLowerCase());
  if (page) throw badSource(`the address is ${page} on the Hugging Face Hub, not a model`);
}

function checked(owner: string, name: string, revision: string): HubSource {
  refuseOtherPages(owner);
  const repo = `${owner}/${name}`;
  if (!part.test(owner) || !part.test(name)) throw badSource(`'${repo.slice(0, 100)}' is not a name on the Hub`);
  if (!revisionForm.test(revision)) throw badSource(`'${revision.slice(0, 100)}' is not a revision`);
  return { repo, revision };
}

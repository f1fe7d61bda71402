/** @file What a person may give for a model on the Hugging Face Hub: its name, or an address from the address bar. */
import { badSource } from './sourceErrors';

export interface HubSource {
  /** 'owner/name'. */
  readonly repo: string;
  /** Branch, tag or commit; 'main' unless given. */
  readonly revision: string;
}

const part = /^[A-Za-z0-9][\w.-]{0,95}$/;
const revisionForm = /^[A-Za-z0-9][\w./-]{0,199}$/;
const byName = /^(?:hf:)?([^/@\s:]+)\/([^/@\s:]+)(?:@(.+))?$/;
/** Pages under huggingface.co that look like an owner and are none. */
const notOwners = new Set(['datasets', 'spaces', 'docs', 'api', 'papers', 'collections', 'models']);

/** The repository that `text` names, or null where it names none. `hub` is the Hub's address. Throws 'bad-source'. */
export function parseHubSource(text: string, hub: string): HubSource | null {
  const named = byName.exec(text);
  if (named) return checked(named[1]!, named[2]!, named[3] ?? 'main');
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  const isHub = url.origin === new URL(hub).origin || /^(www\.)?(huggingface\.co|hf\.co)$/.test(url.hostname);
  if (!isHub) return null;
  if (url.username !== '' || url.password !== '') throw badSource('the address holds a name or a password');
  const [owner, name, kind, ...rest] = url.pathname.split('/').filter((each) => each !== '');
  if (owner === undefined || name === undefined || notOwners.has(owner)) {
    throw badSource('the address is on the Hugging Face Hub, but it is not a model');
  }
  const pinned = kind === 'tree' || kind === 'blob' || kind === 'resolve' || kind === 'raw' || kind === 'commit';
  // The Hub writes the slash of a branch's name as %2F, so a revision is one part of the path.
  return checked(owner, name, pinned && rest[0] !== undefined ? decodeURIComponent(rest[0]) : 'main');
}

function checked(owner: string, name: string, revision: string): HubSource {
  const repo = `${owner}/${name}`;
  if (!part.test(owner) || !part.test(name)) throw badSource(`'${repo.slice(0, 100)}' is not a name on the Hub`);
  if (!revisionForm.test(revision)) throw badSource(`'${revision.slice(0, 100)}' is not a revision`);
  return { repo, revision };
}

/** @file The options of a load, as a script may give them: checked before anything is asked with them. */
import { LabError, shown } from '../../errors';
import { hubEndpoint } from '../../shards/sources/hubRepository';
import { parseHubSource } from '../../shards/sources/hubSource';
import { isLoopback } from '../contract/hubChoice';
import type { LoadOptions, Source } from '../contract/types';
import type { Plain } from '../contract/workerSession';

/** Which revision, from where, with whose permission. */
export type SourceChoice = Plain<LoadOptions>;

/**
 * The options with what is missing left out. A token that cannot be one is refused here, before it could be kept and sent
 * with a later request; a token beside anything but a model on the Hub goes nowhere. Throws 'bad-argument', and
 * 'bad-source' for an address that the page may not read.
 */
export function checkedChoice(source: Source, options: SourceChoice): SourceChoice {
  if (typeof source === 'string') refuseUnencrypted(source);
  const { revision, stored, hub: named, token: given, ...rest } = options;
  const hub = named == null ? null : hubOrigin(named);
  const token = given == null || given === '' ? null : tokenOf(given);
  return {
    ...rest,
    ...(revision == null ? {} : { revision: textOf('revision', revision) }),
    ...(token !== null && isOnHub(source, hub ?? hubEndpoint) ? { token } : {}),
    ...(hub === null ? {} : { hub }),
    ...(stored === true ? { stored } : {}),
  };
}

function isOnHub(source: Source, hub: string): boolean {
  try {
    return typeof source === 'string' && parseHubSource(source.trim(), hub) !== null;
  } catch {
    return false; // loading it says what is wrong with it
  }
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'string' && value.length <= 200) return value;
  throw new LabError('bad-argument', `${name}: expected a short string, got ${shown(value)}.`, 'Correct it.');
}

/** Spaces and line ends around it come from copying. The token itself is never part of a message. */
function tokenOf(value: unknown): string {
  const token = typeof value === 'string' ? value.trim() : '';
  if (/^[\x21-\x7e]{1,500}$/.test(token)) return token;
  throw new LabError(
    'bad-argument',
    'The token contains characters that are not allowed in tokens.',
    'Copy the token again.',
  );
}

/** The origin of a Hub's address. Throws 'bad-argument'. */
export function hubOrigin(value: unknown): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') {
    if (url.protocol === 'https:' || isLoopback(url.hostname)) return url.origin;
  }
  const message = `hub: expected an https address of a Hub, or an http one of this machine, got ${shown(value)}.`;
  throw new LabError('bad-argument', message, 'Omit it for the Hugging Face Hub.');
}

/** The page's policy lets it read https addresses, its own server, and http addresses of this machine only. */
function refuseUnencrypted(source: string): void {
  const text = source.trim();
  if (!/^http:\/\//i.test(text) || !URL.canParse(text)) return;
  const { hostname, origin } = new URL(text);
  if (origin === globalThis.location?.origin) return;
  // The Hub's addresses are asked for by https however they are written.
  if (isLoopback(hostname) || /^(www\.)?(huggingface\.co|hf\.co)$/.test(hostname)) return;
  throw new LabError(
    'bad-source',
    `${shown(text)}: the page reads http addresses only on this machine.`,
    'Use an https address, serve the folder on this machine, or choose its files from your disk.',
  );
}

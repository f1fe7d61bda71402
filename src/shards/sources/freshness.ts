/** @file Checks whether a stored copy still equals the files at its address. */
import { LabError } from '../../errors';
import { formatBytes } from '../../io/storage';
import type { StoredFile, StoredModel } from '../store/manifest';

/** A server's answer about a stored copy of its files. */
export type Freshness =
  | { readonly state: 'same' }
  /** `files`: those that are others now, have come, or have gone. */
  | { readonly state: 'changed'; readonly files: readonly string[] }
  /** It says nothing by which versions could be told apart. */
  | { readonly state: 'unknown' }
  /** It could not be asked, in words. */
  | { readonly state: 'unreachable'; readonly reason: string };

/** The facts of a stored file that are compared. */
export type Comparable = Pick<StoredFile, 'name' | 'size' | 'validator'>;

/** Where a place does not tell, a model of so many bytes is fetched again; a larger one opens with a note. */
export const cheapBytes = 64 * 2 ** 20;

/** A file became another one while the model was being downloaded. */
export class ChangedOnTheWay extends LabError {
  constructor(files: readonly string[], label: string) {
    super(
      'bad-download',
      `${namesOf(files)} of ${label} changed during the download: expected all files from one version.`,
      'Load it again when its folder is complete.',
    );
  }
}

export function changedNote({ source, created }: StoredModel, files: readonly string[]): string {
  return `${namesOf(files)} of ${source} changed since ${dayOf(created)}.`;
}

export function unknownNote({ source, created, bytes }: StoredModel): string {
  return `The server of ${source} does not report whether its files have changed since ${dayOf(created)}. This is the stored copy from that day. To download the ${formatBytes(bytes)} again, forget the copy first.`;
}

export function comparedNote({ source, bytes }: StoredModel, same: boolean): string {
  const found = same ? 'the stored copy is the same' : 'they had changed';
  return `The server of ${source} does not report whether its files have changed, so the page downloaded all ${formatBytes(bytes)} and compared them: ${found}.`;
}

export function unreachableNote({ source, created }: StoredModel, reason: string): string {
  return `The page could not check whether ${source} has changed since ${dayOf(created)} (${reason}). This is the stored copy from that day.`;
}

function namesOf(files: readonly string[]): string {
  const [first = 'The files', second, ...more] = files;
  if (second === undefined) return first;
  return `${first}, ${second}${more.length > 0 ? ` and ${more.length} more` : ''}`;
}

/** A date and a time of day that read the same everywhere: '2026-11-29 10:05 UTC'. */
function dayOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

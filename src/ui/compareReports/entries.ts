/** @file The reports of a comparison, as they were pasted or dropped. */
import { LabError } from '../../errors';
import { type Failure, toFailure } from '../../lab/contract/failure';
import { mostReports } from '../../report/compared';
import { readReportFile } from '../../report/link/file';
import { linksIn } from '../../report/link/fragment';
import { readReport, shareable } from '../../report/link/share';
import type { ModelRecord } from '../../report/record';

export interface Entry {
  readonly key: string;
  readonly record: ModelRecord;
  /** Its part of the address; null for a report that is too long for a link. */
  readonly fragment: string | null;
}

/** What came of one pasted text or some files. */
export interface Added {
  readonly entries: readonly Entry[];
  readonly failures: readonly Failure[];
}

async function entryOf(record: ModelRecord): Promise<Entry> {
  const { title, notes } = record;
  const words = { ...(title && { title }), ...(notes && { notes }), page: '' };
  const fragment = await shareable(record, words).then(
    ({ url }) => url.replace(/^.*#/, ''),
    () => null,
  );
  return { key: fragment ?? JSON.stringify([record.created, record.model.id, title]), record, fragment };
}

async function collected(reading: readonly Promise<ModelRecord>[]): Promise<Added> {
  const entries: Entry[] = [];
  const failures: Failure[] = [];
  for (const each of await Promise.allSettled(reading)) {
    if (each.status === 'rejected') failures.push(toFailure(each.reason));
    else entries.push(await entryOf(each.value));
  }
  return { entries, failures };
}

/** The reports of every link in a text; the failures of those that cannot be read. */
export async function entriesOfText(text: string): Promise<Added> {
  try {
    const links = linksIn(text);
    if (links.length > 0) return await collected(links.slice(0, mostReports).map(readReport));
    await readReport(text); // throws with what is wrong
    return { entries: [], failures: [] };
  } catch (thrown) {
    return { entries: [], failures: [toFailure(thrown)] };
  }
}

export const entriesOfFragments = (fragments: readonly string[]): Promise<Added> =>
  collected(fragments.slice(0, mostReports).map((fragment) => readReport(`#${fragment}`)));

export const entriesOfFiles = (files: readonly File[]): Promise<Added> =>
  collected(files.slice(0, mostReports).map(readReportFile));

/** Both lists, each report once, and the refusal of those beyond the limit. */
export function joined(before: readonly Entry[], { entries, failures }: Added): Added {
  const all = [...before];
  for (const entry of entries) if (!all.some(({ key }) => key === entry.key)) all.push(entry);
  if (all.length <= mostReports) return { entries: all, failures };
  const message = `Reports: expected at most ${mostReports}, got ${all.length}.`;
  const refusal = toFailure(new LabError('bad-argument', message, 'Remove some, then add others.'));
  return { entries: all.slice(0, mostReports), failures: [...failures, refusal] };
}

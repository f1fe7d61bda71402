/** @file A record as a link: what fits is written, what had to be left out is told. */
import { type ModelRecord, recordJson, restore } from '../record';
import { badReport, readFragment, writeFragment } from './fragment';

/** The author's words, and the page that the link opens. */
export interface SharedWords {
  readonly title?: string;
  readonly notes?: string;
  /** Address of the page; its query and fragment are dropped. */
  readonly page: string;
}

/** A link with the report. */
export interface Shareable {
  readonly url: string;
  /** Length of `url`. */
  readonly characters: number;
  /** What of the record the link does not hold, one sentence each; empty where it holds everything that the page shows. */
  readonly leftOut: readonly string[];
}

/** Longest link that a page offers, characters. */
export const mostLinkCharacters = 8000;
/** Mail, chats and histories of browsers keep links up to this length, characters. */
export const safeLinkCharacters = 2000;
/** Longest link whose QR code a phone reads from a projector, characters. */
export const qrCharacters = 800;

/**
 * The link of a record. Beyond `safeLinkCharacters` it leaves out what a reader needs least.
 * @throws LabError 'bad-report' that names what takes the space, where the link stays longer than `mostLinkCharacters`
 */
export async function shareable(record: ModelRecord, { title, notes, page }: SharedWords): Promise<Shareable> {
  const words = { ...(title ? { title } : {}), ...(notes ? { notes } : {}) };
  const fragment = await writeFragment(recordJson({ ...record, ...words }));
  const url = `${pageOf(page)}#${fragment}`;
  if (url.length > mostLinkCharacters) {
    throw badReport(
      `The report takes ${url.length} characters as a link: expected at most ${mostLinkCharacters}.`,
      'Save the report as a file: it holds everything, and the page opens it too.',
    );
  }
  return { url, characters: url.length, leftOut: [] };
}

/** An address without query and fragment. */
function pageOf(address: string): string {
  return address.replace(/[?#].*$/s, '');
}

/** The report of a link, of its fragment, or of a text around one link. Makes no request. @throws LabError 'bad-report' */
export async function readReport(text: string): Promise<ModelRecord> {
  const { json } = await readFragment(text);
  return restore(JSON.parse(json)).record;
}

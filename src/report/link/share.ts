/** @file A record as a link: what fits is written, what had to be left out is told. */
import { parseJson } from '../../io/json';
import type { ModelRecord } from '../record';
import { Misfit } from './codec';
import { badReport, readFragment, writeFragment } from './fragment';
import { lightenings } from './lighter';
import { sensibleRecord } from './sensible';
import { readRecord, writeRecord } from './tuples';

/** The author's words, and the page that the link opens. */
export interface SharedWords {
  readonly title?: string;
  readonly notes?: string;
  /** Address of the page; its query and fragment are dropped. */
  readonly page: string;
  /** The link leaves out what a reader needs least until it has no more characters than this; by default `safeLinkCharacters`. */
  readonly longest?: number;
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
 * The link of a record, rounded to the link's digits. Beyond `longest` characters it leaves out what a reader needs least, in the
 * order of `lighter.ts`; where even that is too long, the fullest link below `mostLinkCharacters` is given.
 * @throws LabError 'bad-report' that names what takes the space, where every link is longer
 */
export async function shareable(record: ModelRecord, words: SharedWords): Promise<Shareable> {
  const { title, notes, longest = safeLinkCharacters } = words;
  const page = pageOf(words.page);
  let current: ModelRecord = { ...record, ...(title ? { title } : {}), ...(notes ? { notes } : {}) };
  const leftOut: string[] = [];
  const link = async (): Promise<Shareable> => {
    const url = `${page}#${await writeFragment(writeRecord(current))}`;
    return { url, characters: url.length, leftOut: [...leftOut] };
  };
  let fullest: Shareable | null = null;
  let last = hasManyNeurons(record) ? tooLarge : await link();
  for (const { sentence, apply } of [...lightenings, null].map((step) => step ?? none)) {
    if (last.characters <= longest) return last;
    if (last.characters <= mostLinkCharacters) fullest ??= last;
    const lighter = apply(current);
    if (lighter === current) continue;
    current = lighter;
    leftOut.push(sentence);
    last = await link();
  }
  if (fullest !== null) return fullest;
  throw tooLong(last.characters, await largestParts(current));
}

/** So many numbers never fit, and writing millions of them would take seconds. */
const hasManyNeurons = ({ widthScores }: ModelRecord): boolean =>
  widthScores.some(({ neurons }) => neurons.reduce((sum, { length }) => sum + length, 0) > mostLinkCharacters);
const tooLarge: Shareable = { url: '', characters: Number.POSITIVE_INFINITY, leftOut: [] };

/** Lets the loop look at the lightest link too. */
const none = { sentence: '', apply: (record: ModelRecord): ModelRecord => record };

/** An address without query and fragment. */
function pageOf(address: string): string {
  return address.replace(/[?#].*$/s, '');
}

/** Parts of a record, and the record without each. */
const parts: readonly (readonly [name: string, without: (record: ModelRecord) => ModelRecord])[] = [
  ['the notes', ({ notes: _, ...rest }) => rest],
  ['the title', ({ title: _, ...rest }) => rest],
  ['the scores', (record) => ({ ...record, scores: [], searches: {}, evolution: null })],
  ['the variants', (record) => ({ ...record, comparison: [] })],
  ['the model', (record) => ({ ...record, model: { ...record.model, notes: [] } })],
];

/** The parts that take most of the link, the largest first, with their characters. */
async function largestParts(record: ModelRecord): Promise<string[]> {
  const size = async (each: ModelRecord): Promise<number> => (await writeFragment(writeRecord(each))).length;
  const whole = await size(record);
  const sizes = await Promise.all(
    parts.map(async ([name, without]) => [name, whole - (await size(without(record)))] as const),
  );
  const large = sizes.filter(([, characters]) => characters > whole / 20).sort((a, b) => b[1] - a[1]);
  return large.map(([name, characters]) => `${name} ${characters}`);
}

function tooLong(characters: number, largest: readonly string[]) {
  const takes = largest.length > 0 ? ` Of these take ${largest.join(', ')}.` : '';
  return badReport(
    `The report as a link: expected at most ${mostLinkCharacters} characters, got ${characters}.${takes}`,
    'Save the report as a file: it holds everything, and the page opens it too.',
  );
}

/** The report of a link, of its fragment, or of a text around one link. Makes no request. @throws LabError 'bad-report' */
export async function readReport(text: string): Promise<ModelRecord> {
  const { json } = await readFragment(text);
  return sensibleRecord(readTuples(parseJson(json, 'The link', 'bad-report')), 'The link');
}

function readTuples(json: unknown): ModelRecord {
  try {
    return readRecord(json);
  } catch (thrown) {
    if (!(thrown instanceof Misfit)) throw thrown;
    throw badReport(
      thrown.message,
      'Ask the author to share the report again: this link was not made by this page.',
      thrown,
    );
  }
}

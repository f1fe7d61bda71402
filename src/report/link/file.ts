/** @file A report as a file: the whole record as JSON. */
import { LabError } from '../../errors';
import { decodeText, parseJson } from '../../io/json';
import { type ModelRecord, recordJson } from '../record';
import { badReport } from './fragment';
import { sensibleRecord } from './sensible';

/** Largest file that is read, bytes. */
const mostFileBytes = 64 * 2 ** 20;

/** The file of a report, named after its title or its model. */
export function reportFile(record: ModelRecord): File {
  const words = (record.title ?? record.model.id).normalize('NFC').replace(/[^\p{L}\p{N}]+/gu, '-');
  const name = words.replace(/^-+|-+$/g, '').slice(0, 60) || 'model';
  return new File([recordJson(record, 1)], `secateur-${name}.json`, { type: 'application/json' });
}

/** The report of a file that a page of this or an earlier version saved. @throws LabError 'bad-report' */
export async function readReportFile(file: File): Promise<ModelRecord> {
  const remedy = 'Choose the JSON file that this page saved.';
  if (file.size > mostFileBytes) {
    throw badReport(`The file: expected at most ${mostFileBytes} bytes, got ${file.size}.`, remedy);
  }
  try {
    const text = decodeText(new Uint8Array(await file.arrayBuffer()), 'The file', 'bad-report');
    return sensibleRecord(parseJson(text, 'The file', 'bad-report'), 'The file');
  } catch (thrown) {
    if (!(thrown instanceof LabError)) throw badReport('The file cannot be read.', remedy, thrown);
    throw badReport(thrown.message, remedy, thrown);
  }
}

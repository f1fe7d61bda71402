/** @file Commands that carry a report out of the page: the record of the open model, the author's words, files. */
import type { ModelRecord } from '../../../report/record';
import type { ReportWords } from '../../contract/sharing';
import type { Context } from './context';

export interface SharingCommands {
  /** Reads all that was measured of the open model. Undefined where that failed: the state of the task 'share' has the reason. */
  readReport(): Promise<ModelRecord | undefined>;
  /** Keeps the author's words until the page closes or another model opens. */
  chooseWords(words: ReportWords): void;
  /** Saves a file of the report where the browser puts downloads. */
  saveReport(file: File): void;
}

export function createSharingCommands({ lab, browser, store, tasks }: Context): SharingCommands {
  return {
    readReport: () => tasks.run('share', () => lab.report()),
    chooseWords: (words) => store.setState({ words }),
    saveReport: (file) => browser.download(file),
  };
}

/** @file The commands around texts: which there are, and adding one. Choosing one is in `commands.ts`, beside what it changes. */

import type { CorpusInfo, TextSource } from '../contract/types';
import { lab } from './lab';
import { labStore } from './store';
import { runTask } from './tasks';

/** Reads the list of texts that can be named. */
export async function refreshTexts(): Promise<void> {
  try {
    labStore.setState({ corpora: await lab.texts() });
  } catch (thrown) {
    console.warn('The list of texts could not be read.', thrown);
  }
}

/** Reads and stores a person's text; resolves to what it is then called. */
export async function addText(source: TextSource): Promise<CorpusInfo | undefined> {
  const added = await runTask('text:add', (task) => lab.addText(source, task));
  await refreshTexts();
  return added;
}

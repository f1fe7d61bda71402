/** @file Exports the variants of a run: the page makes the files, this disk takes them one by one. */
import { join } from 'node:path';
import { PageError } from './drive.mjs';
import { folderOf } from './outputs.mjs';
import { receiveFiles } from './receive.mjs';

/**
 * Writes every variant in every format.
 * @returns {Promise<{ folder: string, files: number, bytes: number, refusal?: string }[]>} one entry per variant and format;
 *   `refusal` where the format cannot hold the variant
 */
export async function exportVariants(page, call, { exports, out }) {
  if (exports.length === 0) return [];
  const made = (await call('variants')).filter(({ id }) => id !== 'base');
  const variants = made.length > 0 ? made : [{ id: 'base', name: 'original' }];
  const { url, close } = await receiveFiles(out, new URL(page.url()).origin);
  const written = [];
  try {
    for (const [at, { id, name }] of variants.entries()) {
      for (const choice of exports) {
        const folder = folderOf({ name, index: at + 1, several: variants.length > 1 }, choice);
        written.push({
          folder: join(out, folder),
          ...(await sendFiles(page, { id, choice, url: `${url}${folder}/` })),
        });
      }
    }
  } finally {
    await close();
  }
  return written;
}

/** What a format cannot hold is told; every other failure ends the run. */
async function sendFiles(page, request) {
  const outcome = await page.evaluate(async ({ id, choice: { format, dtype }, url }) => {
    try {
      const onProgress = window.secateurProgress;
      const files = await window.lab.export(id, format, { ...(dtype ? { dtype } : {}), onProgress });
      let bytes = 0;
      for (const file of files) {
        onProgress({ stage: `Saving ${file.name}`, done: 0, total: 0, unit: 'bytes' });
        const address = url + encodeURIComponent(file.name);
        const { ok, status } = await fetch(address, { method: 'PUT', body: file });
        if (!ok) throw new Error(`${file.name} could not be written (status ${status}).`);
        bytes += file.size;
      }
      return { files: files.length, bytes };
    } catch (error) {
      const { code = 'internal', message, remedy = '' } = error;
      return { failure: { code, message, remedy } };
    }
  }, request);
  if (!outcome.failure) return outcome;
  const { code, message, remedy } = outcome.failure;
  if (code !== 'not-available') throw new PageError(outcome.failure);
  return { files: 0, bytes: 0, refusal: `${message} ${remedy}` };
}

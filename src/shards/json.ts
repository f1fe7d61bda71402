/** @file JSON from outside: parsed, or refused with the name of the file and what it seems to be. */
import { type ErrorCode, LabError } from '../errors';

/** Larger than any config, index or tokenizer; what is longer is not one of these. */
export const maxTextBytes = 2 ** 27;

/** A file's JSON; throws `code`. A web page in place of the file (servers of single-page apps do so) is named as such. */
export function parseJson(text: string, file: string, code: ErrorCode): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (looksLikeHtml(text)) throw htmlInsteadOf(file);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LabError(
      code,
      `${file}: expected JSON: ${reason.slice(0, 200)}`,
      'Fetch the file again from its source.',
      {
        cause,
      },
    );
  }
}

export function looksLikeHtml(text: string): boolean {
  return /^\s*<(!doctype|html|head|\?xml)/i.test(text.slice(0, 256));
}

/** The error for a web page where a model's file should be. */
export function htmlInsteadOf(file: string): LabError {
  return new LabError(
    'missing-file',
    `${file}: expected a model's file, got a web page: the server answers every address with a page.`,
    `Give the address of the folder that holds ${file}.`,
  );
}

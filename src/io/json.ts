/** @file JSON from outside: parsed, or refused with the name of the file and what it seems to be. */
import { type ErrorCode, LabError } from '../errors';
import { boundDepth, parsePythonJson } from './pythonJson';

/** Larger than any config, index or tokenizer; what is longer is not one of these. */
export const maxTextBytes = 2 ** 27;

/**
 * A file's JSON as Python reads it (NaN and Infinity are numbers); throws `code` with line and column. A web page in place
 * of the file (servers of single-page apps do so) is named as such.
 */
export function parseJson(text: string, file: string, code: ErrorCode): unknown {
  try {
    return parseText(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch (cause) {
    if (looksLikeHtml(text)) throw htmlInsteadOf(file);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LabError(code, `${file}: expected JSON: ${reason.slice(0, 200)}.`, remedyFor(text), { cause });
  }
}

/** JSON.parse is ten times as fast; what it refuses may be Python's. */
function parseText(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return parsePythonJson(text);
  }
  boundDepth(text);
  return value;
}

function remedyFor(text: string): string {
  if (text.trim() === '') return 'The file is empty: download it again.';
  if (text.includes('\0')) return 'The file is not UTF-8 text: save it as UTF-8, or download it again.';
  if (/,\s*[\]}]/.test(text.slice(0, 2 ** 20))) {
    return 'If you edited the file by hand, look for a surplus comma. Otherwise download it again.';
  }
  return 'Download the file again.';
}

/** The text of a file's bytes; throws `code` where they are not UTF-8, as Python does. A mark of byte order goes. */
export function decodeText(bytes: Uint8Array, file: string, code: ErrorCode): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LabError(
      code,
      `${file}: expected UTF-8 text, got other bytes.`,
      'Save the file as UTF-8, or download it again.',
      { cause },
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
    `${file}: expected a model file, got a web page.`,
    `Enter the address of the folder that contains ${file}.`,
  );
}

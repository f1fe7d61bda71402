/** @file A server's facts about a file's version, and whether two of them mean the same bytes. */

/** Of one answer to a request for a file; null where the server, or another origin's rules, did not say. */
export interface Validator {
  readonly etag: string | null;
  /** Milliseconds since 1970. */
  readonly modified: number | null;
  /** Content-Length, where no encoding hides what it counts. */
  readonly length: number | null;
  /** It was modified so shortly before this answer that a second change would have had the same time. */
  readonly recent: boolean;
  /** The file at the server, where what was made of it has another name. */
  readonly file?: string;
}

/** Last-Modified counts seconds. */
const resolutionMs = 2_000;

export function validatorOf(response: Response, now = Date.now()): Validator {
  const { headers } = response;
  const modified = dateOf(headers.get('last-modified'));
  const length = headers.get('content-length') ?? '';
  const encoded = (headers.get('content-encoding') ?? 'identity') !== 'identity';
  return {
    etag: headers.get('etag')?.trim() || null,
    modified,
    length: /^\d{1,15}$/.test(length) && !encoded && response.type !== 'cors' ? Number(length) : null,
    recent: modified !== null && (dateOf(headers.get('date')) ?? now) - modified < resolutionMs,
  };
}

function dateOf(text: string | null): number | null {
  const date = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(date) ? null : date;
}

/**
 * 'same' and 'changed' where the two answers tell; 'unknown' where they do not. An entity tag decides before a time, since
 * a file may be written again with the same bytes.
 */
export function compareValidators(before: Validator, after: Validator): 'same' | 'changed' | 'unknown' {
  if (before.length !== null && after.length !== null && before.length !== after.length) return 'changed';
  if (before.etag !== null && after.etag !== null) {
    if (opaque(before.etag) !== opaque(after.etag)) return 'changed';
    // A tag that is made of the time is no finer than it.
    return before.recent && before.modified === after.modified ? 'unknown' : 'same';
  }
  if (before.modified !== null && after.modified !== null) {
    if (before.modified !== after.modified) return 'changed';
    return before.recent ? 'unknown' : 'same';
  }
  return 'unknown';
}

/** The tag without the suffixes that servers add when they compress the answer. */
function opaque(etag: string): string {
  return etag.replace(/^W\//, '').replace(/[-;:]{1,2}(gzip|br|zstd|deflate)"$/i, '"');
}

/** A tag that names the bytes exactly, so that two parts of a file may be joined by it; null where there is none. */
export function strongTag({ etag }: Validator): string | null {
  return etag?.startsWith('"') ? etag : null;
}

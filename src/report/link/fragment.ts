/**
 * @file The fragment of a link: 's1.', then base64url of zlib's `deflate` of a text. The number is the version of the text. The
 * check sum at the end of the stream (Adler-32) is why a cut or altered link is refused instead of telling other numbers. Links
 * come from mails and chats, so that line breaks, invisible characters and what stands behind a link are looked past.
 */
import { LabError, shown } from '../../errors';

/** The version of the tuples that this page writes. */
export const linkVersion = 1;

/** Longest payload of a link that is read, characters. */
const mostCharacters = 65_536;
/** Longest text that may hold links, characters. */
const mostText = 16 * mostCharacters;
/** Largest content of a link, bytes: deflate may expand 1 to 1,029. */
const mostBytes = 2 ** 20;
/** Bytes that the decompressor is given at once, so that what it makes of them stays below 1 MiB. */
const sliceBytes = 512;

const invisible = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;
/** Mail programs turn '#' into '%23'; a fragment alone begins with the mark. */
const marks = /(?:^\s*|#|%23)s(\d{1,4})(?:[.~]|%2e)/gi;
/** The payload, over line breaks too, which mail puts into long lines, with '>' where it is quoted. */
const payloadRun = /[\w-]+(?:[ \t]*[\r\n]+[ \t>]*[\w-]+)*/y;

const copyAgain = 'Copy the whole link again, or ask its author for the file of the report.';

interface Found {
  readonly version: number;
  /** What the payload may be, the longest first: words behind a link look like its next line. */
  readonly payloads: readonly string[];
  readonly begin: number;
}

/** The fragment of a text, without '#'. It ends on a letter or digit, because programs cut other characters off. */
export async function writeFragment(json: string): Promise<string> {
  for (let text = json; ; text += ' ') {
    const payload = base64url(await deflated(new TextEncoder().encode(text)));
    if (/[A-Za-z0-9]$/.test(payload)) return `s${linkVersion}.${payload}`;
  }
}

/** The text of a link, a fragment, or a text with one link in it. @throws LabError 'bad-report' */
export async function readFragment(text: string): Promise<{ readonly version: number; readonly json: string }> {
  const [link] = findLinks(text);
  if (link === undefined) {
    throw badReport(
      `The text holds no report: expected a link with '#s${linkVersion}.' in it, got ${shown(text)}.`,
      'Paste the whole link, from https:// to its last character.',
    );
  }
  const { version, payloads } = link;
  if (version < 1 || version > linkVersion) {
    throw badReport(
      `The link: expected a report of version ${linkVersion} or earlier, got version ${version}.`,
      'A newer version of this page wrote it: reload the page.',
    );
  }
  let failure: unknown;
  for (const payload of payloads) {
    try {
      return { version, json: await unpacked(payload) };
    } catch (thrown) {
      failure ??= thrown;
    }
  }
  throw failure;
}

/** The links with reports in a text, each as '#s1.…', in their order. @throws LabError 'bad-report' for a text that is too long */
export function linksIn(text: string): string[] {
  const clean = visible(text);
  const found = findLinks(clean);
  return found.map(({ begin }, index) => `#${clean.slice(begin, found[index + 1]?.begin).trimEnd()}`);
}

/** Whether an address or a text names a report. */
export function namesReport(text: string): boolean {
  return findLinks(text.slice(0, mostText)).length > 0;
}

function visible(text: string): string {
  if (text.length <= mostText) return text.replace(invisible, '');
  throw badReport(
    `The text: expected at most ${mostText} characters, got ${text.length}.`,
    'Paste the link alone, or open the file of the report.',
  );
}

function findLinks(text: string): Found[] {
  const clean = visible(text);
  const found: Found[] = [];
  for (const match of clean.matchAll(marks)) {
    payloadRun.lastIndex = match.index + match[0].length;
    const run = payloadRun.exec(clean)?.[0] ?? '';
    const lines = run.split(/[^\w-]+/);
    const ends = [...new Set([lines.length, lines.length - 1, lines.length - 2, 1])].filter((end) => end > 0);
    found.push({
      version: Number(match[1]),
      payloads: ends.map((end) =>
        lines
          .slice(0, end)
          .join('')
          .replace(/[_-]+$/, ''),
      ),
      begin: match.index + match[0].search(/s\d/i),
    });
  }
  return found;
}

async function unpacked(payload: string): Promise<string> {
  if (typeof DecompressionStream === 'undefined') {
    throw badReport(
      'The link: expected a browser that unpacks zlib streams, got an older one.',
      'Update the browser: Chrome 80, Firefox 113 and Safari 16.4 can.',
    );
  }
  if (payload.length > mostCharacters) {
    throw badReport(
      `The link: expected at most ${mostCharacters} characters, got ${payload.length}.`,
      'No link of this page is that long: ask its author for the file of the report.',
    );
  }
  const bytes = bytesOf(payload);
  const content = bytes && (await inflated(bytes));
  if (!content) {
    throw badReport('The link: expected a whole report, got one that was cut or changed.', copyAgain);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch (cause) {
    throw badReport('The link: expected UTF-8 text, got other bytes.', copyAgain, cause);
  }
}

async function deflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** What a zlib stream holds; null where the stream is cut, altered or none. */
async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array | null> {
  const { readable, writable } = new DecompressionStream('deflate');
  const writer = writable.getWriter();
  const feed = async (): Promise<void> => {
    for (let at = 0; at < bytes.length; at += sliceBytes) await writer.write(bytes.slice(at, at + sliceBytes));
    await writer.close();
  };
  const reader = readable.getReader();
  const fed = feed();
  fed.catch(() => undefined); // the reader fails too, or has stopped on purpose
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      length += value.length;
      if (length > mostBytes) throw tooLarge();
    }
    await fed;
  } catch (thrown) {
    await reader.cancel().catch(() => undefined);
    if (thrown instanceof LabError) throw thrown;
    return null;
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function base64url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** The bytes of base64url; null for a length that no bytes give. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> | null {
  if (text.length === 0 || text.length % 4 === 1) return null;
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function tooLarge(): LabError {
  return badReport(
    `The link: expected a report of at most ${mostBytes} bytes, got more.`,
    'No link of this page holds that much: do not trust where it comes from.',
  );
}

/** A link or a file that holds no whole report. */
export function badReport(message: string, remedy: string, cause?: unknown): LabError {
  return new LabError('bad-report', message, remedy, { cause });
}

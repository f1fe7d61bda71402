/** @file Links as mails and chats bring them, cut and altered ones, and content that was crafted. */
import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { recordJson } from '../record';
import { readReportFile, reportFile } from './file';
import { linksIn, namesReport, readFragment, writeFragment } from './fragment';
import { readReport, shareable } from './share';
import { awkwardRecord } from './testing/awkwardRecord';
import { demoReport } from './testing/measuredReport';
import { writeRecord } from './tuples';

const page = 'https://example.org/secateur/';
const { url } = await shareable(demoReport(), { page });
const fragment = url.slice(url.indexOf('#') + 1);
const told = writeRecord(await readReport(url));

/** A link whose check sum fits, with any content. */
const crafted = (content: string | Buffer): string => `#s1.${deflateSync(content).toString('base64url')}`;

describe('a link is read', () => {
  const inTwo = `${url.slice(0, 300)}\r\n${url.slice(300)}`;
  test.each([
    ['whole', url],
    ['as its fragment', fragment],
    ['as its fragment with #', `#${fragment}`],
    ["with '%23' for '#'", url.replace('#', '%23')],
    ["with '%2E' for '.'", url.replace('#s1.', '%23s1%2E')],
    ['in round brackets', `(${url})`],
    ['in Markdown', `[a report](${url}), see above.`],
    ['in angle brackets', `<${url}>`],
    ['in quotes', `“${url}”.`],
    ['at the end of a sentence', `Look at ${url}. It is good.`],
    ['over two lines', inTwo],
    ['over two quoted lines', inTwo.replace('\r\n', '\n> ')],
    ['before a line of words', `${url}\nthanks and goodbye`],
    ['before another address', `${url}\nhttps://example.org/`],
    [
      'with invisible characters',
      `${url.slice(0, 200)}\u200b${url.slice(200, 400)}\u00ad\u2060${url.slice(400)}\ufeff`,
    ],
  ])('%s', async (_, text) => {
    expect(namesReport(text)).toBe(true);
    expect(writeRecord(await readReport(text))).toBe(told);
  });

  test('also one of several in a text', async () => {
    const links = linksIn(`First ${url}\nthen ${url}, and (${url.replace('#', '%23')}).`);
    expect(links).toHaveLength(3);
    for (const link of links) expect(writeRecord(await readReport(link))).toBe(told);
    expect(linksIn('none')).toEqual([]);
  });
});

test('an address without a report is none', () => {
  for (const href of [page, `${page}#view`, `${page}?s1.x`, `${page}#s.1`, `${page}#results1.x`]) {
    expect([href, namesReport(href)]).toEqual([href, false]);
  }
});

test('a cut and an altered character are refused, or tells the same', async () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const changed: string[] = [];
  for (let at = 3; at < fragment.length; at += 7) {
    changed.push(fragment.slice(0, at));
    const other = alphabet[(alphabet.indexOf(fragment[at]!) + 1 + (at % 62)) % 64]!;
    changed.push(fragment.slice(0, at) + other + fragment.slice(at + 1));
  }
  const verdicts = await Promise.all(
    changed.map((text) =>
      readFragment(text).then(
        ({ json }) => json.trimEnd(),
        (thrown: { readonly code?: string }) => thrown.code,
      ),
    ),
  );
  expect(verdicts.length).toBeGreaterThan(200);
  // The last character may differ in bits that no byte has.
  for (const verdict of verdicts) expect(['bad-report', told]).toContain(verdict);
  expect(verdicts.filter((verdict) => verdict === told).length).toBeLessThan(3);
});

describe('what is refused says so in a sentence', () => {
  test.each<[string, string, RegExp]>([
    ['no link', 'hello', /^The text holds no report: expected a link with '#s1\.' in it, got 'hello'\.$/],
    ['nothing', '', /holds no report/],
    ['a mark alone', '#s1.', /expected a whole report/],
    ['a newer version', '#s7.abcd', /expected a report of version 1 or earlier, got version 7/],
    ['version 0', '#s0.abcd', /version 1 or earlier, got version 0/],
    ['no zlib stream', '#s1.abcdabcd', /cut or changed/],
    ['a length that no bytes give', '#s1.abcde', /cut or changed/],
    ['too many characters', `#s1.${'A'.repeat(65_537)}`, /expected at most 65536 characters, got 65537/],
    ['a text of many megabytes', 'x'.repeat(2_000_000), /^The text: expected at most 1048576 characters, got 2000000/],
    ['no JSON', crafted('hello'), /^The link: expected JSON/],
    ['an object', crafted('{"version":2}'), /expected lists, texts and numbers/],
    ['null', crafted('[null]'), /expected lists, texts and numbers/],
    ['nothing in it', crafted('[]'), /^The link's program: expected a text/],
    ['no model', crafted('[1,"0.1.0",[]]'), /^The link's model\.id: expected a text/],
    ['deep nesting', crafted('['.repeat(100_000)), /expected JSON/],
    ['other bytes than UTF-8', crafted(Buffer.from([0x22, 0xff, 0x22])), /expected UTF-8/],
    ['a bomb', crafted(Buffer.alloc(40_000_000)), /expected a report of at most 1048576 bytes, got more/],
  ])('%s', async (_, text, message) => {
    await expect(readReport(text)).rejects.toMatchObject({
      code: 'bad-report',
      message: expect.stringMatching(message),
    });
  });
});

/** The report's text with one part replaced. */
function forged(change: (json: ReturnType<typeof JSON.parse>) => void): string {
  const json: unknown = JSON.parse(told);
  change(json);
  return crafted(JSON.stringify(json));
}

describe('content with a fitting check sum is checked all the same', () => {
  const [model, tables, scores, comparison] = [2, 3, 6, 9];
  test.each<[string, string, RegExp]>([
    ['too many blocks', forged((json) => (json[model][2][3][0][0] = 1e9)), /at most 1024 blocks/],
    [
      'a billion neurons in few characters',
      forged((json) => {
        json[model][2][3] = [[1024, 8, 4, 16, 1_000_000]];
        json[tables][5] = [[0, 0, 0, 0, Array(1024).fill('=1').join(',')]];
      }),
      /at most 2000000 values/,
    ],
    [
      'a table that names itself',
      forged((json) => json[tables][1].push([0, 1, 1, 1, 'x', 99])),
      /an entry of a table before it/,
    ],
    ['an index without an entry', forged((json) => (json[scores][0][3] = 99)), /an entry of a table before it/],
    [
      'a block that is not there',
      forged((json) => (json[tables][5][1] = ['Z'])),
      /expected blocks below 12, got 25|a plan that fits/,
    ],
    ['the base twice', forged((json) => (json[comparison][0][1] = [1])), /an id that no row before it has/],
    [
      'a parent that is its child',
      forged((json) => (json[comparison][0][1] = [0, 0, 0, 0, 'v1'])),
      /a variant that is not made from it/,
    ],
    ['scores that are no numbers', forged((json) => (json[scores][0][2] = 'm12')), /at most 2048 numbers/],
    [
      'a time below 0',
      forged((json) => (json[comparison][2][0][2] = json[comparison][2][0][2].replace('p', 'P'))),
      /a number from 0, got -/,
    ],
    [
      'an infinite time',
      forged((json) => (json[comparison][2][0][2] = '*'.repeat(15))),
      /a number from 0, got Infinity/,
    ],
    ['a criterion of a prototype', forged((json) => (json[scores][0][0] = '__proto__')), /a criterion's id/],
    ['a title of 2,000 characters', forged((json) => (json[10] = 'x'.repeat(2000))), /a string of at most 1000/],
  ])('%s', async (_, text, message) => {
    await expect(readReport(text)).rejects.toMatchObject({
      code: 'bad-report',
      message: expect.stringMatching(message),
    });
  });

  test('and numbers that fit are taken: a link is no proof of who wrote it', async () => {
    const back = await readReport(forged((json) => (json[10] = '<b>\u202e')));
    expect(back.title).toBe('<b>\u202e');
  });
});

test('a link ends on a letter or a digit', async () => {
  for (let index = 0; index < 100; index++) {
    expect(await writeFragment(JSON.stringify([index]))).toMatch(/^s1\.[\w-]*[A-Za-z0-9]$/);
  }
});

/** Links that earlier versions wrote: every later version reads them. A line each: the link, then the record as JSON. */
test('links of earlier versions are read', async () => {
  const [link = '', record = ''] = readFileSync(new URL('testing/version1.txt', import.meta.url), 'utf8').split('\n');
  expect(link.startsWith('https://example.org/secateur/#s1.')).toBe(true);
  expect(recordJson(await readReport(link))).toBe(record);
});

describe('a file', () => {
  test('holds the whole record', async () => {
    for (const seed of [0, 1, 2, 3, 4, 5]) {
      const record = awkwardRecord(seed);
      expect(await readReportFile(reportFile(record))).toEqual(record);
    }
    const titled = reportFile({ ...awkwardRecord(0), title: '../Größe: „a“/b?' });
    expect([titled.name, titled.type]).toEqual(['secateur-Größe-a-b.json', 'application/json']);
  });

  test.each<[string, BlobPart, RegExp]>([
    ['that is no JSON', 'hello', /^The file: expected JSON/],
    ['of another program', '{}', /^The file's version: expected 1 or 2/],
    ['of other bytes', new Uint8Array([0xff, 0xfe]), /^The file: expected UTF-8/],
    [
      'whose shape is none',
      recordJson({ ...demoReport(), model: { ...demoReport().model, shape: {} as never } }),
      /^The file's model\.shape/,
    ],
  ])('%s is refused', async (_, content, message) => {
    const file = new File([content], 'report.json');
    await expect(readReportFile(file)).rejects.toMatchObject({
      code: 'bad-report',
      message: expect.stringMatching(message),
    });
  });

  test('of too many bytes is refused before it is read', async () => {
    const file = { size: 2 ** 26 + 1, arrayBuffer: () => expect.fail('it was read') } as unknown as File;
    await expect(readReportFile(file)).rejects.toMatchObject({
      message: expect.stringContaining('at most 67108864 bytes'),
    });
  });
});

/** @file Links of reports that were cut, altered, or crafted with a fitting check sum: the report, or a sentence; never another number. */
import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { LabError } from '../../src/errors';
import { type Random, randomInt } from '../../src/numerics/random';
import { readReport, shareable } from '../../src/report/link/share';
import { awkwardRecord } from '../../src/report/link/testing/awkwardRecord';
import { demoReport, measuredReport, withTasks } from '../../src/report/link/testing/measuredReport';
import { writeRecord } from '../../src/report/link/tuples';
import { recordJson } from '../../src/report/record';
import type { ComparisonRow } from '../../src/report/results';
import { forEachMutation, fuzzCount, fuzzTimeout, mutateJson, mutateText, pick } from './mutate';

const page = 'https://example.org/secateur/';

/** `npm test` takes a slice: each link is packed and unpacked. */
const mutations = process.env['SECATEUR_FUZZ'] ? fuzzCount : 150;

interface Original {
  readonly url: string;
  /** Its content, and the report that it tells, as JSON. */
  readonly json: string;
  readonly told: string;
}

async function originals(): Promise<Original[]> {
  const records = [
    demoReport(),
    withTasks(measuredReport(3), ['story-endings', 'mine.jsonl']),
    ...Array.from({ length: 6 }, (_, seed) => awkwardRecord(seed)),
  ];
  return Promise.all(
    records.map(async (record) => {
      const { url } = await shareable(record, { page, longest: 8000 });
      const back = await readReport(url);
      return { url, json: writeRecord(back), told: recordJson(back) };
    }),
  );
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/.#%>) \n\u200b\u202e<"\'';

/** One to four changes where mails, chats and people make them: characters swapped, cut, doubled, put in. */
function damaged(random: Random, { url }: Original): string {
  let text = url;
  for (let times = 1 + randomInt(random, 4); times > 0; times--) {
    const at = randomInt(random, text.length);
    const end = Math.min(text.length, at + 1 + randomInt(random, 40));
    const other = alphabet[randomInt(random, alphabet.length)]!;
    const changes = [
      () => text.slice(0, at) + other + text.slice(at + 1),
      () => text.slice(0, at) + other + text.slice(at),
      () => text.slice(0, at) + text.slice(end),
      () => text.slice(0, at),
      () => text.slice(0, end) + text.slice(at),
      () => text.slice(at, end) + text.slice(0, at) + text.slice(end),
      () => text.toLowerCase(),
      () => mutateText(random, text),
    ];
    text = pick(random, changes)();
    if (text === '') break;
  }
  return text;
}

/** What a text tells: a report as JSON, or null where it is refused as it should be. */
async function verdictOf(text: string): Promise<string | null> {
  try {
    return recordJson(await readReport(text));
  } catch (thrown) {
    if (!(thrown instanceof LabError)) throw thrown;
    expect(thrown.code).toBe('bad-report');
    expect(thrown.message).toMatch(/expected ./);
    expect(thrown.message.length).toBeLessThan(1000);
    expect(thrown.remedy).not.toBe('');
    return null;
  }
}

test(
  'damaged links tell the same report or none',
  async () => {
    const all = await originals();
    const told = new Set(all.map((original) => original.told));
    const verdicts = { same: 0, refused: 0 };
    await forEachMutation(async (random) => {
      const verdict = await verdictOf(damaged(random, pick(random, all)));
      if (verdict !== null && !told.has(verdict)) throw new Error(`Other numbers: ${verdict.slice(0, 500)}`);
      verdicts[verdict === null ? 'refused' : 'same'] += 1;
    }, mutations);
    // Few changes are harmless: a slice may have none.
    if (mutations > 1000) expect(verdicts.same).toBeGreaterThan(0);
    for (const { url, told: report } of all) expect(await verdictOf(`<${url}>).\n`)).toBe(report);
    expect(verdicts.refused).toBeGreaterThan(verdicts.same);
  },
  fuzzTimeout,
);

/** What every accepted report promises: it is written, and read as the same report. */
test.each<[string, (random: Random, original: Original) => string]>([
  ['values', (random, { json }) => JSON.stringify(mutateJson(random, JSON.parse(json))) ?? ''],
  ['characters', (random, { json }) => mutateText(random, json)],
])(
  'links that were crafted with other %s are refused, or make sense',
  async (_, mutate) => {
    const all = await originals();
    const verdicts = { taken: 0, refused: 0 };
    await forEachMutation(async (random) => {
      const content = mutate(random, pick(random, all));
      const text = `#s1.${deflateSync(content).toString('base64url')}`;
      const verdict = await verdictOf(text);
      verdicts[verdict === null ? 'refused' : 'taken'] += 1;
      if (verdict === null) return;
      const { model, comparison } = JSON.parse(verdict);
      expect(model.shape.layers.length).toBeLessThanOrEqual(1024);
      expect(new Set(comparison.map((row: { variant: string }) => row.variant)).size).toBe(comparison.length);
      for (const { tasks = [] } of comparison as readonly Pick<ComparisonRow, 'tasks'>[]) {
        expect(new Set(tasks.map(({ task }) => task)).size).toBe(tasks.length);
        for (const { accuracy, accuracyNorm, items } of tasks) {
          for (const share of [accuracy, accuracyNorm]) expect(share >= 0 && share <= 1).toBe(true);
          expect(items).toBeGreaterThan(0);
        }
      }
    }, mutations);
    expect(verdicts.taken).toBeGreaterThan(0);
    expect(verdicts.refused).toBeGreaterThan(0);
  },
  fuzzTimeout,
);

/** @file A report as a link: its length, what it leaves out and tells so, and where it is refused. */
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../numerics/random';
import { emptyPlan } from '../../pruning/plan';
import { recipeOf } from '../../pruning/variant';
import type { ModelRecord } from '../record';
import type { TaskResult } from '../results';
import type { WidthScores } from '../scores';
import type { TrainingCurves } from '../trainingCurves';
import { qrCharacters, readReport, safeLinkCharacters, shareable } from './share';
import { demoReport, measuredReport, withTasks } from './testing/measuredReport';

const page = 'https://example.org/secateur/';
const words = { title: 'Five criteria', page };

test('a link begins with the page, without query and fragment, and opens again', async () => {
  const record = measuredReport(2);
  const said = { title: 'A title', notes: 'Größe', page: `${page}?model=demo#view` };
  const { url, characters, leftOut } = await shareable(record, said);
  expect(url).toMatch(/^https:\/\/example\.org\/secateur\/#s1\.[\w-]*[A-Za-z0-9]$/);
  expect([characters, leftOut]).toEqual([url.length, []]);
  expect(await readReport(url)).toMatchObject({ title: 'A title', notes: 'Größe', model: { id: record.model.id } });
});

test('40 blocks, five criteria and twelve variants fit whole where links of 2,000 characters do', async () => {
  const { characters, leftOut } = await shareable(measuredReport(), words);
  expect(leftOut).toEqual([]);
  expect(characters).toBeLessThanOrEqual(safeLinkCharacters);
});

test("the demo's session fits whole into a QR code", async () => {
  const { characters, leftOut } = await shareable(demoReport(), { page });
  expect(leftOut).toEqual([]);
  expect(characters).toBeLessThanOrEqual(qrCharacters);
});

test('with what every variant answered in a task they still do, and the demo’s session fits into any link', async () => {
  const asked = withTasks(measuredReport(), ['story-endings']);
  const { url, characters, leftOut } = await shareable(asked, words);
  expect(leftOut).toEqual([]);
  expect(characters).toBeLessThanOrEqual(safeLinkCharacters);
  const tasks = (await readReport(url)).comparison.map((row) => row.tasks?.[0]);
  const told = ({ accuracy, accuracyNorm, standardError, hash }: TaskResult) => [
    ...[accuracy, accuracyNorm, standardError, hash],
  ];
  expect(tasks.map((each) => told(each!))).toEqual(asked.comparison.map((row) => told(row.tasks![0]!)));
  const demo = await shareable(withTasks(demoReport(), ['story-endings']), { page });
  expect(demo.leftOut).toEqual([]);
  expect(demo.characters).toBeLessThan(qrCharacters + 50);
});

test('all tasks but one go where a link has no room for them, and that one behind everything that is cheaper to measure', async () => {
  const many = withTasks(measuredReport(), ['story-endings', 'piqa', 'mine.jsonl']);
  // The last variant was asked one of them alone.
  const comparison = many.comparison.map((row, at) => (at < 12 ? row : { ...row, tasks: row.tasks!.slice(1, 2) }));
  const one = await shareable({ ...many, comparison }, words);
  expect(one.characters).toBeLessThanOrEqual(safeLinkCharacters);
  expect(one.leftOut).toEqual(['Results of tasks are in the link for the task that the most variants were asked.']);
  const names = (await readReport(one.url)).comparison.map(({ tasks = [] }) => tasks.map(({ task }) => task));
  expect(new Set(names.flat())).toEqual(new Set(['piqa']));
  expect(names).toHaveLength(13);
  const none = await shareable(withTasks(demoReport(), ['story-endings']), { page, longest: qrCharacters });
  expect(none.characters).toBeLessThanOrEqual(qrCharacters);
  expect(none.leftOut).toEqual(['Results of tasks are not in the link.']);
  expect((await readReport(none.url)).comparison.every(({ tasks }) => tasks === undefined)).toBe(true);
});

test('curves of trainings go first where a link has no room for them', async () => {
  const curve = (variant: number): TrainingCurves => ({
    losses: scoresOf(48, variant).map((loss, at) => ({ step: 1 + 20 * at, loss })),
    evaluations: scoresOf(16, variant).map((perplexity, at) => ({ step: 60 * at, perplexity })),
  });
  const record = measuredReport();
  const comparison = record.comparison.map((row, at) => (at < 6 ? row : { ...row, training: curve(at) }));
  const { characters, leftOut } = await shareable({ ...record, comparison }, words);
  expect(characters).toBeLessThanOrEqual(safeLinkCharacters);
  expect(leftOut.length).toBeGreaterThan(0);
  for (const sentence of leftOut) expect(sentence).toContain('curves of trainings');
  const roomy = await shareable({ ...record, comparison }, { ...words, longest: 8000 });
  expect(roomy.leftOut).toEqual([]);
  const back = await readReport(roomy.url);
  const [point, read] = [comparison[7]!.training!.losses[5]!, back.comparison[7]!.training!.losses[5]!];
  expect(read.step).toBe(point.step);
  expect(read.loss).toBeCloseTo(point.loss, 2);
});

/** Scores of a block's heads or neurons, which nothing compresses. */
function scoresOf(count: number, block: number): number[] {
  const random = createRandom(block);
  return Array.from({ length: count }, () => random() * (block + 1));
}

function withWidths(record: ModelRecord): ModelRecord {
  const { layers } = record.model.shape;
  const [first] = record.scores;
  const width: WidthScores = {
    ...{
      method: 'flap',
      heads: layers.map((_, at) => scoresOf(10, at)),
      neurons: layers.map((_, at) => scoresOf(300, at)),
      headUnit: 'head',
    },
    ...{ calibration: first!.calibration, milliseconds: 1, peakGpuBytes: 1, device: first!.device },
  };
  const keepNeurons = layers.map(({ ffn }, layer) => {
    const kept = scoresOf(ffn, 0).flatMap((score, index) => (score > 0.1 ? [index] : []));
    return layer === 0 ? kept : null;
  });
  const plan = { ...emptyPlan(record.model.id), keepNeurons };
  const comparison = record.comparison.map((row) =>
    row.variant === 'v1' ? { ...row, plan, recipe: recipeOf(plan) } : row,
  );
  return { ...record, widthScores: [width], comparison };
}

describe('a longer report', () => {
  const record = withWidths(measuredReport(4));

  test('leaves out what a reader needs least, and says so', async () => {
    const { url, characters, leftOut } = await shareable(record, words);
    expect(characters).toBeLessThanOrEqual(safeLinkCharacters);
    expect(leftOut).toEqual([
      'Scores of single neurons are not in the link: 9 quantiles tell those of each block.',
      'Scores of neurons are not in the link.',
      'Scores of heads are not in the link.',
      'The link tells how many neurons each variant keeps in a block, and not which.',
    ]);
    const back = await readReport(url);
    expect(back.widthScores).toEqual([]);
    const [, row, other] = back.comparison;
    expect([row?.countsOnly, other?.countsOnly]).toEqual([true, undefined]);
    expect(row?.plan.keepNeurons?.map((list) => list?.length)).toEqual(
      record.comparison[1]?.plan.keepNeurons?.map((list) => list?.length),
    );
  });

  test('keeps more where the caller allows more characters', async () => {
    const { url, leftOut } = await shareable(record, { ...words, longest: 8000 });
    expect(leftOut).toHaveLength(1);
    const back = await readReport(url);
    expect(back.widthScores[0]).toMatchObject({ method: 'flap', thinned: true });
    expect(back.comparison[1]?.plan).toEqual(record.comparison[1]?.plan);
  });

  test('of which every link is too long is refused, with what takes the space and what to do', async () => {
    const notes = Array.from({ length: 9000 }, (_, index) =>
      String.fromCodePoint(0x4e00 + ((index * 7919) % 9000)),
    ).join('');
    await expect(shareable(measuredReport(1), { ...words, notes })).rejects.toMatchObject({
      code: 'bad-report',
      message: expect.stringMatching(
        /^The report as a link: expected at most 8000 characters, got \d+\. Of these take the notes \d{5}/,
      ),
      remedy: expect.stringContaining('file'),
    });
  });
});

test('traces are thinned, baselines and second runtimes go before any chart does', async () => {
  const base = measuredReport(1);
  const [scores] = base.scores;
  const trace = Array.from({ length: 400 }, (_, generation) => ({
    ...{
      generation,
      kl: 1 / (generation + 1) + scoresOf(400, 0)[generation]! / 1e3,
      evaluations: 16 * (generation + 1),
    },
  }));
  const evolution = {
    ...{ removed: [{ layer: 3, part: 'block' as const }], trace, perplexity: 6.1, passes: { made: 10, separate: 20 } },
    choice: {
      ...{ unit: 'block' as const, count: 1, generations: 400, offspring: 16, survivors: [4, 1], tokens: [128, 1280] },
      seed: 1,
    },
  };
  const record = {
    ...base,
    scores: [
      ...base.scores,
      { ...scores!, criterion: 'random' as const },
      { ...scores!, criterion: 'evopress' as const, evolution },
    ],
  };
  const { leftOut, url } = await shareable(record, { ...words, longest: 1900 });
  expect(leftOut).toEqual(['The course of an evolutionary search is told by 16 of its generations.']);
  const found = (await readReport(url)).scores.at(-1)?.evolution;
  expect(found?.trace).toHaveLength(16);
  expect([found?.trace[0]?.generation, found?.trace.at(-1)?.generation]).toEqual([0, 399]);
});

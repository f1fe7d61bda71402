import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LabError } from '../errors';
import { measureRounds, orderOfRound, type RoundsMeasurement } from './rounds';
import { FakeMachine } from './testing/fakeMachine';

let machine: FakeMachine;
beforeEach(() => {
  machine = new FakeMachine();
  machine.start();
});
afterEach(() => vi.restoreAllMocks());

const counts = { promptTokens: 4, newTokens: 4, warmups: 0, runs: 4 };
const three = () => [machine.session('A', 3), machine.session('B', 2), machine.session('C', 1)];
const beside = () => three().map((session) => machine.having(session));

test('every session runs once in a round; each round has the opposite order of the one before, each second one another start', async () => {
  expect([0, 1, 2, 3, 4, 5].map((round) => orderOfRound(round, 3).join(''))).toEqual([
    '012',
    '210',
    '120',
    '021',
    '201',
    '102',
  ]);
  await measureRounds(beside(), { ...counts, warmups: 1, runs: 6 });
  expect(machine.runs).toBe('ABC ABC CBA BCA ACB CAB BAC'.replaceAll(' ', ''));
});

test('ratios are against the reference within a round: exact on a steady machine', async () => {
  const [one, two] = await measureRounds(beside(), { ...counts, batchSizes: [1, 2] });
  expect(one).toMatchObject({ batch: 1, rounds: 4, inTurns: true });
  expect(two).toMatchObject({ batch: 2 });
  expect(one!.ratios.map((each) => each!.latency.ratio)).toEqual([1, expect.closeTo(1.5), expect.closeTo(3)]);
  expect(one!.ratios[2]!.decode!.ratio).toBeCloseTo(3);
  expect(one!.measured.map((each) => each!.latencyMs)).toEqual([12, 8, 4]);
  expect(one!.measured[1]).toMatchObject({ runs: 4, warmups: 0, newTokens: 4, prefillMs: 2, decodeMsPerToken: 2 });
});

/** Of the first batch size: [ratio, low, high] of each session. */
const intervals = ([found]: readonly RoundsMeasurement[]) =>
  found!.ratios.map((each) => [each!.latency.ratio, each!.latency.low, each!.latency.high] as const);

test('a machine that slows down to a third meanwhile: the drift cancels for every session', async () => {
  machine.slowness = (now) => 1 + now / 200;
  const found = intervals(await measureRounds(beside(), { ...counts, runs: 12 }));
  expect(machine.slowness(machine.now)).toBeGreaterThan(2.5);
  for (const [at, expected] of [1, 1.5, 3].entries()) {
    const [ratio, low, high] = found[at]!;
    expect(ratio / expected).toBeGreaterThan(0.97);
    expect(ratio / expected).toBeLessThan(1.03);
    expect(low).toBeLessThanOrEqual(expected);
    expect(high).toBeGreaterThanOrEqual(expected);
  }
});

test('the interval is Student’s, over the rounds: 95 % for three ratios of 1, 1 and e', async () => {
  // Of two sessions: in the third round the reference takes e times as long.
  let round = 0;
  machine.slowness = () => 1;
  const [a, b] = [machine.session('A', 1), machine.session('B', 1)];
  const slow: typeof a = {
    ...a,
    exclusively: (job, signal) => {
      round += 1;
      machine.slowness = () => (round === 3 ? Math.E : 1);
      return a.exclusively(job, signal).finally(() => {
        machine.slowness = () => 1;
      });
    },
  };
  const [, [ratio, low, high]] = intervals(
    await measureRounds([machine.having(slow), machine.having(b)], { ...counts, runs: 3 }),
  ) as [unknown, readonly [number, number, number]];
  // Logarithms 0, 0, 1: mean 1/3, standard error 1/3, t = 4.303 at two degrees of freedom.
  expect(Math.log(ratio)).toBeCloseTo(1 / 3, 9);
  expect(Math.log(high)).toBeCloseTo(1 / 3 + 4.3027 / 3, 3);
  expect(Math.log(low)).toBeCloseTo(1 / 3 - 4.3027 / 3, 3);
});

test('where not all fit, sessions run one after the other and back, and the result says so', async () => {
  for (const sideBySide of [undefined, false]) {
    machine.log = [];
    const sessions = three().map((session) => machine.alone(session));
    machine.slowness = (now) => 1 + now / 400;
    const found = await measureRounds(sessions, { ...counts, sideBySide });
    // Opened together the first time, whose caches never came to be.
    expect(machine.runs).toBe('AABBCCCCBBAA');
    expect(found[0]).toMatchObject({ rounds: 4, inTurns: false });
    expect(intervals(found)[2]![0]).toBeGreaterThan(2.8);
    expect(intervals(found)[2]![0]).toBeLessThan(3.2);
    machine.now = 0;
  }
});

test('a session that is wrong or does not open is left out with its reason; the others are measured', async () => {
  const [a, b, c] = beside();
  const failed: [number, string][] = [];
  const onFailed = (at: number, { code }: LabError) => void failed.push([at, code]);
  const broken = machine.having(machine.session('N', 1, Number.NaN));
  const closed = async (): Promise<never> => {
    throw new LabError('self-check', 'it differs', '');
  };
  const [found] = await measureRounds([a!, broken, closed, b!, c!], { ...counts, onFailed });
  expect(failed).toEqual([
    [2, 'self-check'],
    [1, 'non-finite'],
  ]);
  expect(found!.measured.map((each) => each?.latencyMs ?? null)).toEqual([12, null, null, 8, 4]);
  expect(found!.ratios[1]).toBeNull();
  expect(found!.ratios[4]!.latency.ratio).toBeCloseTo(3);
  await expect(measureRounds([broken, a!], { ...counts, onFailed })).rejects.toMatchObject({ code: 'non-finite' });
  await expect(measureRounds([a!, broken], counts)).rejects.toMatchObject({ code: 'non-finite' });
});

test('when cancelled it tells the batches and the whole rounds that are there', async () => {
  const controller = new AbortController();
  const told: RoundsMeasurement[] = [];
  let runs = 0;
  const work = measureRounds(beside(), {
    ...counts,
    batchSizes: [1, 8],
    signal: controller.signal,
    onBatch: (found) => void told.push(found),
    onProgress: () => {
      runs += 1;
      // In the fourth of the rounds of batch 8, each with three generations of four tokens.
      if (runs === 3 * 4 * 4 + 3 * 4 * 3 + 6) controller.abort();
    },
  });
  await expect(work).rejects.toMatchObject({ code: 'aborted' });
  expect(told.map(({ batch, rounds }) => [batch, rounds])).toEqual([
    [1, 4],
    [8, 3],
  ]);
  expect(told[1]!.measured[0]).toMatchObject({ runs: 3, latencyMs: 12 });
  expect(machine.log.filter((entry) => entry.includes('gone'))).toHaveLength(6);
});

test('progress counts the tokens of all sessions and ends with all', async () => {
  const seen: number[] = [];
  await measureRounds(beside(), {
    ...counts,
    warmups: 1,
    batchSizes: [2],
    onProgress: ({ done, total }) => {
      expect(total).toBe(3 * 2 * 5 * 4);
      seen.push(done);
    },
  });
  expect(seen.at(-1)).toBe(120);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

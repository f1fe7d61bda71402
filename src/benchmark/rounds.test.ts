import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LabError } from '../errors';
import { type ComparedBatch, measureCompared } from './comparedSessions';
import { measureRounds, orderOfRound } from './rounds';
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

test('of several sessions every one runs once in a round, each as often at every place, and never always behind the same one', async () => {
  for (const count of [3, 4, 7]) {
    const rounds = Array.from({ length: 2 * count }, (_, round) => orderOfRound(round, count));
    for (let place = 0; place < count; place++) {
      const there = rounds.map((order) => order[place]!).sort((a, b) => a - b);
      expect(there).toEqual(Array.from({ length: 2 * count }, (_, at) => Math.floor(at / 2)));
    }
    const behind = new Set(rounds.flatMap((order) => order.slice(1).map((index, at) => `${order[at]} ${index}`)));
    expect(behind.size).toBeGreaterThanOrEqual(2 * count);
  }
  const sessions = [3, 2, 5].map((cost, index) => machine.having(machine.session('ABC'[index]!, cost)));
  const { batches, inTurns } = await measureRounds(sessions, { ...counts, runs: 6 });
  expect(inTurns).toBe(true);
  expect(machine.runs).toBe('ABCCBABCAACBCABBAC');
  expect(batches[0]!.map(({ measurement, times }) => [measurement.decodeMsPerToken, times.length])).toEqual([
    [3, 6],
    [2, 6],
    [5, 6],
  ]);
});

test('sessions that do not fit side by side run half of their runs, and the other half in reverse order', async () => {
  const sessions = [3, 2, 5].map((cost, index) => machine.having(machine.session('ABC'[index]!, cost)));
  const { batches, inTurns } = await measureRounds(sessions, { ...counts, runs: 4, sideBySide: false });
  expect(inTurns).toBe(false);
  expect(machine.runs).toBe('AABBCCCCBBAA');
  expect(batches[0]!.map(({ measurement, times }) => [measurement.decodeMsPerToken, times.length])).toEqual([
    [3, 4],
    [2, 4],
    [5, 4],
  ]);
});

test('ratios are against the reference within a round: exact on a steady machine', async () => {
  const [one, two] = await measureCompared(beside(), { ...counts, batchSizes: [1, 2] });
  expect(one).toMatchObject({ batch: 1, inTurns: true });
  expect(one!.sessions.map((each) => each!.pairs)).toEqual([4, 4, 4]);
  expect(two).toMatchObject({ batch: 2 });
  expect(one!.sessions.map((each) => each!.latency.ratio)).toEqual([1, expect.closeTo(1.5), expect.closeTo(3)]);
  expect(one!.sessions[2]!.decode!.ratio).toBeCloseTo(3);
  expect(one!.sessions.map((each) => each!.measurement.latencyMs)).toEqual([12, 8, 4]);
  expect(one!.sessions[1]!.measurement).toMatchObject({
    runs: 4,
    warmups: 0,
    newTokens: 4,
    prefillMs: 2,
    decodeMsPerToken: 2,
  });
});

/** Of the first batch size: [ratio, low, high] of each session. */
const intervals = ([found]: readonly ComparedBatch[]) =>
  found!.sessions.map((each) => [each!.latency.ratio, each!.latency.low, each!.latency.high] as const);

test('a machine that slows down to a third meanwhile: the drift cancels for every session', async () => {
  machine.slowness = (now) => 1 + now / 200;
  const found = intervals(await measureCompared(beside(), { ...counts, runs: 12 }));
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
    await measureCompared([machine.having(slow), machine.having(b)], { ...counts, runs: 3 }),
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
    const found = await measureCompared(sessions, { ...counts, sideBySide });
    // Opened together the first time, whose caches never came to be.
    expect(machine.runs).toBe('AABBCCCCBBAA');
    expect(found[0]).toMatchObject({ inTurns: false });
    expect(intervals(found)[2]![0]).toBeGreaterThan(2.8);
    expect(intervals(found)[2]![0]).toBeLessThan(3.2);
    machine.now = 0;
  }
});

test('a session that is wrong or does not open is left out with its reason; the others are measured', async () => {
  const [a, b, c] = beside();
  const failed: [number, string][] = [];
  const listener = { onFailed: (at: number, { code }: LabError) => void failed.push([at, code]) };
  const broken = machine.having(machine.session('N', 1, Number.NaN));
  const closed = async (): Promise<never> => {
    throw new LabError('self-check', 'it differs', '');
  };
  const [found] = await measureCompared([a!, broken, closed, b!, c!], counts, listener);
  expect(failed).toEqual([
    [2, 'self-check'],
    [1, 'non-finite'],
  ]);
  expect(found!.sessions.map((each) => each?.measurement.latencyMs ?? null)).toEqual([12, null, null, 8, 4]);
  expect(found!.sessions[4]!.latency.ratio).toBeCloseTo(3);
  await expect(measureCompared([broken, a!], counts, listener)).rejects.toMatchObject({ code: 'non-finite' });
  await expect(measureCompared([a!, broken], counts)).rejects.toMatchObject({ code: 'non-finite' });
});

test('when cancelled it tells the batches and the whole rounds that are there', async () => {
  const controller = new AbortController();
  const told: ComparedBatch[] = [];
  let runs = 0;
  const options = {
    ...counts,
    batchSizes: [1, 8],
    signal: controller.signal,
    onProgress: () => {
      runs += 1;
      // In the fourth of the rounds of batch 8, each with three generations of four tokens.
      if (runs === 3 * 4 * 4 + 3 * 4 * 3 + 6) controller.abort();
    },
  };
  const work = measureCompared(beside(), options, { onBatch: (found) => void told.push(found) });
  await expect(work).rejects.toMatchObject({ code: 'aborted' });
  expect(told.map(({ batch, sessions }) => [batch, sessions[0]!.pairs])).toEqual([
    [1, 4],
    [8, 3],
  ]);
  expect(told[1]!.sessions[0]!.measurement).toMatchObject({ runs: 3, latencyMs: 12 });
  expect(machine.log.filter((entry) => entry.includes('gone'))).toHaveLength(6);
});

test('progress counts the tokens of all sessions and ends with all', async () => {
  const seen: number[] = [];
  await measureCompared(beside(), {
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

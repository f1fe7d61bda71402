/** @file The form of a training: defaults of about a minute, and a request that says only what its method uses. */
import { expect, test } from 'vitest';
import type { ComparisonRow } from '../../report/results';
import { defaultsOf, firstForm, formFault, minuteOf, requestOf, secondsOf, settingsOf, speedOf } from './form';

const fast = { tokensPerSecond: 20_000, measured: true };
const of = (method: 'lora' | 'full' | 'full+lora' | 'distill', speed = fast) =>
  defaultsOf({ method, hidden: 128, context: 512, speed });

test('steps take about a minute; a slow device gets more steps of fewer rows', () => {
  for (const tokensPerSecond of [60, 282, 5_000, 20_000]) {
    const speed = { tokensPerSecond, measured: true };
    const minute = minuteOf(speed, 128);
    const seconds = secondsOf({ ...minute, seqLen: 128 }, speed);
    expect(minute.steps).toBeGreaterThanOrEqual(10);
    if (minute.steps > 10 && minute.steps < 2000) expect(seconds).toBeGreaterThan(40);
    if (minute.steps > 10) expect(seconds).toBeLessThan(70);
  }
  expect(minuteOf(fast, 128).batch).toBe(8);
  expect(minuteOf(null, 128)).toEqual({ batch: 4, steps: 20 });
  expect(minuteOf({ tokensPerSecond: 282, measured: true }, 128)).toEqual({ batch: 2, steps: 60 });
});

test('the speed is that of the last training with the method, else a fraction of the base’s forward pass', () => {
  const step = { kind: 'retrain', method: 'lora', tokens: 3000, seconds: 2 };
  const rows = [{ recipe: [] }, { recipe: [step] }] as unknown as ComparisonRow[];
  const base = { tokens: 1000, milliseconds: 500 };
  expect(speedOf('lora', rows, [base])).toEqual({ tokensPerSecond: 1500, measured: true });
  const guessed = speedOf('full', rows, [{ ...base, milliseconds: 9000 }, base, null]);
  expect(guessed?.measured).toBe(false);
  expect(guessed!.tokensPerSecond * 3).toBeCloseTo(2000, 9);
  expect(speedOf('full', rows, [null])).toBeNull();
});

test('a request says what its method uses, and nothing of the others', () => {
  const request = (method: 'lora' | 'full' | 'full+lora' | 'distill') =>
    requestOf({ ...firstForm, method }, settingsOf(of(method), {}));
  expect(request('lora')).toMatchObject({ method: 'lora', rank: 8, alpha: 16, dropout: 0, seqLen: 128 });
  expect(request('full')).not.toHaveProperty('rank');
  expect(request('full+lora')).toMatchObject({ loraLearningRate: 5e-3, learningRate: 1e-3 });
  expect(request('distill')).toMatchObject({ temperature: 2, weight: 0.5 });
  expect(request('distill')).not.toHaveProperty('alpha');
  expect(request('full')).not.toHaveProperty('seed');
});

test('the texts: a corpus by its name, pairs, or text of the base', () => {
  const settings = settingsOf(of('full'), { seed: 7, heldOut: { kind: 'corpus', corpus: 'ptb' } });
  const of_ = (text: Parameters<typeof requestOf>[0]['text']) => requestOf({ ...firstForm, text }, settings);
  expect(of_({ kind: 'corpus', corpus: 'wikitext-2' })).toMatchObject({
    corpus: 'wikitext-2',
    seed: 7,
    evaluation: { corpus: 'ptb' },
  });
  const share = requestOf(firstForm, settingsOf(of('full'), { heldOut: { kind: 'share' } }));
  expect(share).toMatchObject({ heldOut: 0.1 });
  expect(share).not.toHaveProperty('evaluation');
  expect(of_({ kind: 'corpus', corpus: null })).not.toHaveProperty('corpus');
  const pair = { instruction: 'a', output: 'b' };
  const own = of_({ kind: 'instructions', pairs: [pair], from: null });
  expect(own).toMatchObject({ instructions: [pair] });
  expect(own).not.toHaveProperty('instructionsFrom');
  const from = 'hf:owner/pairs@c0ffee/train*';
  expect(of_({ kind: 'instructions', pairs: [pair], from })).toMatchObject({ instructionsFrom: from });
  expect(of_({ kind: 'generated', rows: 4, temperature: 1 })).toMatchObject({ generated: { rows: 4, seqLen: 128 } });
});

test('the warm-up follows the steps until it is set itself; faults are said', () => {
  const defaults = of('full');
  expect(settingsOf(defaults, { steps: 40 }).warmup).toBe(2);
  expect(settingsOf(defaults, { steps: 40, warmup: 9 }).warmup).toBe(9);
  expect(formFault(firstForm, settingsOf(defaults, {}))).toBeNull();
  expect(formFault(firstForm, settingsOf(defaults, { steps: 4, warmup: 4 }))).toMatch(/warm-up/);
  expect(formFault({ ...firstForm, variants: [] }, defaults)).toMatch(/variant/);
  expect(formFault({ ...firstForm, text: { kind: 'instructions', pairs: [], from: null } }, defaults)).toMatch(/pairs/);
});

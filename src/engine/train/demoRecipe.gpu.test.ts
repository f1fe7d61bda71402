/** @file The demo model's recipe by the engine's full training, against the losses of PyTorch (tools/demo-model/engine.py --compare). */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { demoShape, hashedStart, type Recipe, trainDemo } from '../../../tools/demo-model/engineTraining';
import { longTier, sharedTestDevice } from '../testing/harness';

interface Run extends Recipe {
  readonly seed: number;
  readonly steps: number;
  readonly batch: number;
  readonly rows: number[][];
  readonly start: number[];
  readonly losses: number[];
}
const run = JSON.parse(readFileSync('tools/demo-model/adamw.json', 'utf8')) as Run;

test('the weights at the start are those of PyTorch', () => {
  const flat = hashedStart(demoShape(), run.seed);
  const stride = Math.floor(flat.length / 8);
  for (const [at, expected] of run.start.entries()) expect(flat[at * stride]).toBeCloseTo(expected, 8);
});

test.runIf(longTier)(
  '20 steps with warm-up, clipping, and decay of matrices alone: the losses of PyTorch',
  async () => {
    const losses: number[] = [];
    const rows = (step: number): number[][] => run.rows.slice(step * run.batch, (step + 1) * run.batch);
    const start = hashedStart(demoShape(), run.seed);
    await trainDemo(await sharedTestDevice(), start, run.steps, rows, run, (_, loss) => losses.push(loss));
    expect(Math.max(...losses.map((loss, step) => Math.abs(loss - run.losses[step]!)))).toBeLessThan(1e-3);
  },
);

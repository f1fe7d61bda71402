import { test, beforeAll } from 'vitest';
import type { GpuContext } from './device';
import { Engine } from './engine';
import { openTestDevice } from './testing';
import { readModel } from './testWeights';
import { readFileSync } from 'node:fs';
let context: GpuContext;
beforeAll(async () => { context = await openTestDevice(); });
test('golden', async () => {
  const golden = JSON.parse(readFileSync('../shared/golden/stories260K.json', 'utf8'));
  const model = readModel('../shared/models/stories260K');
  const engine = await Engine.create(context, model);
  const t0 = performance.now();
  for (let i = 0; i < 3; i++) {
    const a = performance.now();
    await engine.score(model.shape.layers, golden.calibration_token_ids);
    const b = performance.now();
    const t = await engine.taylor(golden.calibration_token_ids);
    const c = performance.now();
    await engine.taylor(golden.calibration_token_ids, { keepBytes: 1e9 });
    const d = performance.now();
    console.log(b - a, (c - b) / (b - a), (d - c) / (b - a));
    if (i === 0) {
      console.log(t.layers.map((l) => l.total), golden.taylor);
      console.log(t.layers[0], t.finalNormGradient, golden.grad_norm);
    }
  }
}, 300000);

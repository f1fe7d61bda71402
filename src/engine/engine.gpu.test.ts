/** @file The whole engine against the float64 model. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { existsSync, readFileSync } from 'node:fs';
import './allclose';
import type { GpuContext } from './device';
import { Engine } from './engine';
import { openTestDevice } from './testing';
import { readModel } from './testWeights';

const golden = '../shared/golden/stories260K.json';
let context: GpuContext;
beforeAll(async () => {
  context = await openTestDevice();
});
test.skipIf(!existsSync(golden))('golden', async () => {
  const numbers = JSON.parse(readFileSync(golden, 'utf8'));
  for (const folder of ['stories260K', 'stories260K-f16-sharded']) {
  const model = readModel(`../shared/models/${folder}`);
  const engine = await Engine.create(context, model);
  let t=performance.now();
  const { sumNll, tokens } = await engine.score(model.shape.layers, numbers.calibration_token_ids);
  console.log(Math.exp(sumNll.reduce((a,b)=>a+b)/tokens), numbers.base_ppl, context.info.adapter, performance.now()-t);
  t=performance.now();
  for (const part of ['block','attention','mlp'] as const) {
  const s = await engine.removalSweep(numbers.calibration_token_ids, [0,1,2,3,4].map(layer=>({layer,part})));
  console.log(s.map(Math.exp), part==='block'?numbers.ppl:numbers[`ppl_${part}`], performance.now()-t);}
  const st = await engine.blockStatistics(numbers.calibration_token_ids);
  console.log(st.influence, numbers.block_influence);
  console.log(await engine.magnitudes(), numbers.magnitude);
  console.log(engine.memory());
  engine.dispose();
  }
});

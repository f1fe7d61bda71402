/** @file Every way of retraining in Chromium: the trained variant has one perplexity in the engine and in ONNX Runtime; a report's training is repeated. */
import { expect, openLab, test } from '../support/test';

const methods = ['lora', 'full', 'full+lora', 'distill'] as const;

test('each method trains a pruned demo, and ONNX Runtime agrees with the engine', async ({ page }) => {
  await openLab(page);
  const results = await page.evaluate(async (all) => {
    const { lab } = window;
    await lab.load('demo');
    const { id } = await lab.variant(await lab.plan({ blocks: [4, 5] }), {});
    const tokenIds = Array.from({ length: 4 }, (_, row) =>
      Array.from({ length: 32 }, (_, at) => 3 + ((row * 7 + at * 5) % 90)),
    );
    const found = [];
    for (const method of all) {
      const setting = { method, steps: 4, batch: 2, learningRate: 2e-3, tokenIds, evaluation: { tokenIds } };
      const { variant, losses, evaluations } = await lab.retrain(id, setting);
      const by = async (runtime: 'wgsl' | 'ort-wasm') =>
        (await lab.perplexity(variant.id, { tokenIds, runtime })).perplexity;
      found.push({
        method,
        id: variant.id,
        losses: losses.length,
        evaluations,
        wgsl: await by('wgsl'),
        ort: await by('ort-wasm'),
      });
    }
    const adapter = await lab.export(found[0]!.id, 'peft');
    return { found, adapter: adapter.map(({ name }) => name), waiting: await lab.trainings() };
  }, methods);
  for (const { method, losses, evaluations, wgsl, ort } of results.found) {
    expect(losses, method).toBe(4);
    expect(evaluations.at(-1)!.perplexity, method).toBeLessThan(evaluations[0]!.perplexity);
    expect(wgsl / evaluations.at(-1)!.perplexity, method).toBeCloseTo(1, 2);
    expect(Math.abs(ort / wgsl - 1), method).toBeLessThan(2e-3);
  }
  expect(results.adapter).toContain('adapter_model.safetensors');
  expect(results.waiting).toEqual([]);
});

test('a report with a training is reproduced: the same rows, the same number', async ({ page }) => {
  await openLab(page);
  const values = await page.evaluate(async () => {
    const { lab } = window;
    await lab.load('demo');
    const { id } = await lab.variant(await lab.plan({ blocks: [4] }), {});
    const request = {
      method: 'lora',
      steps: 2,
      batch: 1,
      learningRate: 1e-3,
      corpus: 'calibration',
      seqLen: 32,
      samples: 4,
    } as const;
    const { variant } = await lab.retrain(id, {
      ...request,
      seed: 5,
      warmup: 1,
      schedule: 'linear',
      evaluation: { samples: 2, seqLen: 32 },
    });
    await lab.perplexity(variant.id, { samples: 2, seqLen: 32 });
    const report = await lab.openReport(await lab.shareUrl());
    return (await lab.reproduce(report)).map(({ value, reported, here, deviation, agrees, why }) => ({
      ...{ value, reported, here, deviation, agrees, why },
    }));
  });
  const trained = values.filter(({ value }) => /retrained/.test(value));
  expect(trained.length).toBeGreaterThan(0);
  for (const each of trained) expect(each, JSON.stringify(each)).toMatchObject({ agrees: true });
});

/** @file The `lab` contract on checkpoints whose numbers PyTorch knows: every runtime, whole models and variants. */
import type { Page } from '@playwright/test';
import { type FixtureName, fixture, type Golden } from './support/checkpoint';
import { exportedPerplexity, exportFiles } from './support/exported';
import { expect, expectAllClose, expectClose, loadFiles, longTier, openLab, test } from './support/test';

/** float32 on a GPU against float64. */
const tolerance = 1e-3;

const calibrate = (page: Page, golden: Golden) =>
  page.evaluate((tokenIds) => window.lab.calibrate({ tokenIds }), golden.calibration_token_ids);

const names: FixtureName[] = ['tiny-a', 'tiny-b', 'tiny-c'];

// On one page: both compile the same kernels.
test('a survey gives the golden scores of every criterion, and of heads and neurons as method by method', async ({
  sharedPage: page,
  folders,
}) => {
  const { folder, golden } = fixture('tiny-a');
  const url = folders.put('tiny-a', folder);
  await page.evaluate((source) => window.lab.load(source), url);
  await calibrate(page, golden);
  const found = await page.evaluate(() => window.lab.survey({ window: 2 }));
  expectAllClose(found.taylor!.scores, golden.taylor, tolerance, 'Taylor');
  expectAllClose(found['block-influence']!.scores, golden.block_influence, tolerance, 'block influence');
  expectAllClose(found.angular!.scores, golden.angular['2']!, tolerance, 'angular over 2');
  expectAllClose(found.magnitude!.scores, golden.magnitude, tolerance, 'magnitude');
  expect(found.width).toBeUndefined();

  const { width } = await page.evaluate(() => window.lab.survey({ width: true }));
  for (const [method, expected] of [
    ['wanda-sp', golden.wanda_sp],
    ['llm-pruner', golden.llm_pruner],
  ] as const) {
    const alone = await page.evaluate((name) => window.lab.widthImportance(name), method);
    expect(alone).toMatchObject({ method, headUnit: method === 'llm-pruner' ? 'kvGroup' : 'head' });
    expect(alone.calibration).toMatchObject({ samples: 4, tokens: 256 });
    for (const scores of [alone, width![method]!]) {
      expectAllClose(scores.heads.flat(), expected.heads.flat(), tolerance, `heads by ${method}`);
      expectAllClose(scores.neurons.flat(), expected.neurons.flat(), tolerance, `neurons by ${method}`);
    }
  }
  // Standardized scores lie around 0: their order is what counts.
  const best = (scores: number[][]) => scores.map((layer) => layer.indexOf(Math.max(...layer)));
  const flap = await page.evaluate(() => window.lab.widthImportance('flap'));
  expect(best(flap.heads)).toEqual(best(golden.flap.heads));
  expect(best(flap.neurons)).toEqual(best(golden.flap.neurons));
  const sizes = golden.flap.neurons.map(({ length }) => length);
  for (const method of ['magnitude-sp', 'random'] as const) {
    const { heads, neurons } = await page.evaluate((name) => window.lab.widthImportance(name), method);
    expect(heads.map(({ length }) => length)).toEqual(golden.flap.heads.map(({ length }) => length));
    expect(neurons.map(({ length }) => length)).toEqual(sizes);
  }
});

// The GPU tests in Node compare every fixture with these numbers; here one shows that the page gives them too: the one of the next test,
// for both need the same kernels.
for (const name of longTier ? names : (['tiny-b'] as const)) {
  test(`${name}: every criterion gives the golden scores`, async ({ sharedPage: page, folders }) => {
    const { folder, golden } = fixture(name);
    const url = folders.put(name, folder);
    const info = await page.evaluate((source) => window.lab.load(source), url);
    expect(info.shape.layers.length).toBe(golden.ppl.length);
    expect(info.tokenizer).toBe(true);
    const calibration = await calibrate(page, golden);
    expect(calibration).toMatchObject({ corpus: 'tokenIds', samples: 4, seqLen: 64, tokens: 256 });

    for (const [unit, expected] of [
      ['block', golden.ppl],
      ['attention', golden.ppl_attention],
      ['mlp', golden.ppl_mlp],
    ] as const) {
      const measured = await page.evaluate((part) => window.lab.importance('ppl', { unit: part }), unit);
      expectAllClose(measured.scores, expected, tolerance, `ppl by ${unit}`);
      expect(measured).toMatchObject({ criterion: 'ppl', unit, protected: [], window: 1 });
      const rank = [...expected.keys()].sort((a, b) => expected[a]! - expected[b]!);
      expect(measured.order).toEqual(rank);
    }
    const influence = await page.evaluate(() => window.lab.importance('block-influence'));
    expectAllClose(influence.scores, golden.block_influence, tolerance, 'block influence');
    const magnitude = await page.evaluate(() => window.lab.importance('magnitude'));
    expectAllClose(magnitude.scores, golden.magnitude, tolerance, 'magnitude');
    for (const [window, expected] of Object.entries(golden.angular)) {
      const angular = await page.evaluate(
        (n) => globalThis.window.lab.importance('angular', { window: n }),
        Number(window),
      );
      expectAllClose(angular.scores, expected, tolerance, `angular over ${window}`);
    }
    const sleb = await page.evaluate((n) => window.lab.importance('sleb', { count: n }), golden.sleb.removed.length);
    expect(sleb.order).toEqual(golden.sleb.removed);
    const after = (sleb.steps ?? []).map(({ perplexity }) => perplexity);
    expectAllClose(after, golden.sleb.ppl, tolerance, 'perplexity after each step of SLEB');
  });
}

for (const name of longTier ? names : (['tiny-b'] as const)) {
  test(`${name}: the whole model and variants score alike in every runtime, as PyTorch says`, async ({
    sharedPage: page,
    folders,
  }) => {
    const { folder, golden } = fixture(name);
    const url = folders.put(name, folder);
    await page.evaluate((source) => window.lab.load(source), url);
    const removed = golden.ppl.length - 2;
    const { base, variant, partial } = await page.evaluate(async (block) => {
      const { lab } = window;
      const whole = await lab.variant(await lab.plan({ blocks: [block] }), { name: 'one block less' });
      const half = await lab.variant(await lab.plan({ attention: [block] }));
      const found = (await lab.variants()).find(({ id }) => id === 'base');
      return { base: found, variant: whole, partial: half };
    }, removed);
    expect(base).toMatchObject({ id: 'base', ratio: 0 });
    expect(variant.name).toBe('one block less');
    expect(variant.shape.layers.map(({ source }) => source)).not.toContain(removed);
    expect(variant.ratio).toBeGreaterThan(0);
    expect(variant.parameters).toBe(Math.round(base!.parameters * (1 - variant.ratio)));
    for (const [id, expected] of [
      ['base', golden.base_ppl],
      [variant.id, golden.ppl[removed]!],
      [partial.id, golden.ppl_attention[removed]!],
    ] as const) {
      for (const runtime of ['wgsl', 'ort-wasm', 'ort-webgpu'] as const) {
        const result = await page.evaluate(
          ([which, where, tokenIds]) => window.lab.perplexity(which, { runtime: where, tokenIds }),
          [id, runtime, golden.calibration_token_ids] as const,
        );
        expectClose(result.perplexity, expected, tolerance, `${id} in ${runtime}`);
        expect(result).toMatchObject({ runtime, tokens: 4 * 63 });
        expectClose(Math.log(result.perplexity), result.meanNll, 1e-9, 'mean NLL');
      }
    }
    for (const [{ id, shape }, expected] of [
      [variant, golden.ppl[removed]!],
      [partial, golden.ppl_attention[removed]!],
    ] as const) {
      const files = await exportFiles(page, id);
      expect([...files.keys()]).toEqual(['model.onnx', 'model.onnx_data', 'tokenizer.json', 'tokenizer_config.json']);
      const perplexity = await exportedPerplexity(files, shape, golden.calibration_token_ids);
      expectClose(perplexity, expected, tolerance, `${id}, exported, in onnxruntime-node`);
    }
    const rows = await page.evaluate(() => window.lab.comparison());
    expect(rows.map((row) => Object.keys(row.perplexity).sort())).toEqual(
      Array(3).fill(['ort-wasm', 'ort-webgpu', 'wgsl']),
    );
    await page.evaluate((id) => window.lab.discard(id), partial.id);
    expect((await page.evaluate(() => window.lab.variants())).map(({ id }) => id)).toEqual(['base', variant.id]);
  });
}

test('the files of a folder load like its address, shards included', async ({ sharedPage: page }) => {
  const { folder, golden } = fixture('tiny-b');
  const info = await loadFiles(page, folder);
  expect(info).toMatchObject({ dtype: 'F16', tokenizer: true, downloadedBytes: 0 });
  expect(info.shape).toMatchObject({ hidden: 64, vocab: 113, tiedHead: false });
  const result = await page.evaluate(
    (tokenIds) => window.lab.perplexity('base', { tokenIds, runtime: 'wgsl' }),
    golden.calibration_token_ids,
  );
  expectClose(result.perplexity, golden.base_ppl, tolerance, 'perplexity');
});

for (const name of longTier ? (['tiny-mistral', 'tiny-qwen2', 'tiny-biases'] as const) : []) {
  test(`${name}: windows and biases from files count in every runtime`, async ({ sharedPage: page }) => {
    const { folder, golden } = fixture(name);
    await loadFiles(page, folder);
    for (const runtime of ['ort-wasm', 'wgsl', 'ort-webgpu'] as const) {
      const result = await page.evaluate(
        ([where, tokenIds]) => window.lab.perplexity('base', { runtime: where, tokenIds }),
        [runtime, golden.calibration_token_ids] as const,
      );
      expectClose(result.perplexity, golden.base_ppl, tolerance, `perplexity in ${runtime}`);
    }
  });
}

test('the tokenizer gives the golden ids and the text back', async ({ sharedPage: page, folders }) => {
  const { folder, golden } = fixture('tiny-a');
  const url = folders.put('tiny-a', folder);
  const { ids, special, text } = await page.evaluate(
    async ([source, sentence]) => {
      await window.lab.load(source);
      const plain = await window.lab.tokenize(sentence);
      return {
        ids: plain,
        special: await window.lab.tokenize(sentence, { specialTokens: true }),
        text: await window.lab.detokenize(plain),
      };
    },
    [url, golden.text] as const,
  );
  expect(ids).toEqual(golden.text_ids);
  expect(special).toEqual([1, ...golden.text_ids]);
  expect(text).toBe(golden.text);
});

test('plans come from a count, from a ratio, and with the rule that protects six blocks', async ({
  sharedPage: page,
  folders,
}) => {
  const { folder, golden } = fixture('tiny-c');
  const url = folders.put('tiny-c', folder);
  await page.evaluate((source) => window.lab.load(source), url);
  await calibrate(page, golden);
  const plans = await page.evaluate(async () => ({
    count: await window.lab.plan({ criterion: 'ppl', count: 2 }),
    ratio: await window.lab.plan({ criterion: 'ppl', ratio: 0.23 }),
    plus: await window.lab.plan({ criterion: 'magnitude', count: 2, plus: true }),
    scores: await window.lab.importance('magnitude', { plus: true }),
  }));
  expect(plans.count).toMatchObject({ version: 1, removeBlocks: [4, 6], removeAttention: [], removeMlp: [] });
  expect(plans.ratio.removeBlocks).toEqual([4, 6]);
  expect(plans.plus.removeBlocks).toEqual([4, 5]);
  expect(plans.scores.protected).toEqual([0, 1, 2, 3, 6, 7]);
  expect(plans.scores.order).toEqual([4, 5]);
});

test('latency, generation and the report carry what they were measured with', async ({ sharedPage: page, folders }) => {
  const { folder } = fixture('tiny-b');
  const url = folders.put('tiny-b', folder);
  const { wasm, webgpu, id, paired, baseTimes, greedy, again, texts, grown, report } = await page.evaluate(
    async (source) => {
      const { lab } = window;
      await lab.load(source);
      const setting = { promptTokens: 6, newTokens: 8, runs: 3, warmups: 1 };
      const timed = await lab.latency('base', { ...setting, batchSizes: [1, 2], runtime: 'ort-wasm' });
      const timedGpu = await lab.latency('base', { ...setting, runtime: 'ort-webgpu' });
      const options = { newTokens: 8, temperature: 0 };
      const grown: string[] = [];
      const onProgress = ({ text }: { text?: string }) => {
        if (text !== undefined) grown.push(text);
      };
      const texts = [];
      for (const runtime of ['wgsl', 'ort-wasm', 'ort-webgpu'] as const) {
        texts.push(await lab.generate('base', 'the hedge', { ...options, runtime, onProgress }));
      }
      const { id } = await lab.variant(await lab.plan({ blocks: [2] }));
      return {
        texts,
        grown,
        id,
        paired: await lab.latency(id, {
          ...setting,
          runs: 4,
          batchSizes: [1, 2],
          runtime: 'ort-wasm',
          against: 'base',
        }),
        baseTimes: (await lab.comparison())[0]!.latency.filter(({ runtime }) => runtime === 'ort-wasm'),
        wasm: timed,
        webgpu: timedGpu,
        greedy: await lab.generate('base', 'the hedge', options),
        again: await lab.generate('base', 'the hedge', options),
        report: await lab.report(),
      };
    },
    url,
  );
  expect(wasm.map(({ batch }) => batch)).toEqual([1, 2]);
  for (const result of [...wasm, ...webgpu]) {
    expect(result).toMatchObject({ promptTokens: 6, newTokens: 8, runs: 3, warmups: 1 });
    expect(result.prefillMs).toBeGreaterThan(0);
    expect(result.decodeMsPerToken).toBeGreaterThan(0);
    expect(result.latencyMs).toBeGreaterThan(result.prefillMs);
    expect(result.spread).toBeGreaterThanOrEqual(0);
    expect(result.peakBytes).toBeGreaterThan(0);
    expectClose(result.throughput, (1000 * result.batch * 8) / result.latencyMs, 1e-6, 'throughput');
  }
  expect(wasm[0]!.device.runtime).toMatch(/onnxruntime-web [\d.]+ wasm/);
  expect(webgpu[0]!.device).toMatchObject({ software: true });
  // In turns: the variant's results carry the ratio, the base's row its own times of the same benchmark.
  expect(paired.map(({ batch, runs }) => [batch, runs])).toEqual([
    [1, 4],
    [2, 4],
  ]);
  expect(baseTimes.map(({ batch, runs }) => [batch, runs])).toEqual([
    [1, 4],
    [2, 4],
  ]);
  for (const { speedUp } of paired) {
    expect(speedUp).toMatchObject({ against: 'base', pairs: 4, inTurns: true });
    expect(speedUp!.low).toBeGreaterThan(0);
    expect(speedUp!.ratio).toBeGreaterThanOrEqual(speedUp!.low);
    expect(speedUp!.high).toBeGreaterThanOrEqual(speedUp!.ratio);
  }
  expect(greedy.tokenIds.length).toBeGreaterThan(0);
  expect(greedy.tokenIds.length).toBeLessThanOrEqual(8);
  expect(again).toEqual(greedy);
  expect(texts.map(({ runtime }) => runtime)).toEqual(['wgsl', 'ort-wasm', 'ort-webgpu']);
  for (const { text, tokenIds } of texts)
    expect({ text, tokenIds }).toEqual({ text: greedy.text, tokenIds: greedy.tokenIds });
  expect(texts[0]!.device).toMatchObject({ software: true, runtime: 'WGSL engine' });
  expect(texts[1]!.device.runtime).toMatch(/onnxruntime-web [\d.]+ wasm/);
  expect(grown.length).toBeGreaterThan(2);
  for (const part of grown) expect(greedy.text.startsWith(part)).toBe(true);
  expect(report).toMatchObject({ version: 2, model: { source: url }, device: { software: true } });
  expect(report.comparison[0]!.latency.length).toBeGreaterThan(0);
  expect(report.comparison[1]).toMatchObject({ variant: id, parent: 'base', patchBytes: 0 });
  expect(report.comparison[1]!.recipe).toMatchObject([{ kind: 'prune', plan: { removeBlocks: [2] } }]);
  expect(Date.parse(report.created)).toBeGreaterThan(0);
  // Given back to a session that has measured nothing, also as JSON, the report brings the same rows; a broken one brings none.
  const { rows, broken, after } = await page.evaluate(
    async ([source, json]) => {
      const { lab } = window;
      const report = JSON.parse(json) as Awaited<ReturnType<typeof lab.report>>;
      await lab.load(source);
      const given = { ...report, comparison: [{ ...report.comparison[0]!, latency: [{ batch: 'x' }] }] };
      const broken = await window.failure(lab.restoreComparison(given as unknown as typeof report));
      const after = await lab.comparison();
      return { broken, after, rows: await lab.restoreComparison(report) };
    },
    [url, JSON.stringify(report)] as const,
  );
  expect(broken).toMatchObject({
    code: 'bad-record',
    message: expect.stringContaining('comparison.0.latency.0.batch'),
  });
  expect(after).toHaveLength(1);
  expect(rows).toEqual(report.comparison);
});

test('a second visit opens the stored model, whatever its server has become, until it is forgotten', async ({
  page,
  folders,
}) => {
  const { folder } = fixture('tiny-a');
  const url = folders.put('tiny-a', folder);
  await openLab(page);
  const first = await page.evaluate((source) => window.lab.load(source), url);
  expect(first.downloadedBytes).toBeGreaterThan(200_000);
  folders.reset();
  await openLab(page);
  const second = await page.evaluate((source) => window.lab.load(source), url);
  expect(second).toMatchObject({ id: first.id, downloadedBytes: 0, parameters: first.parameters });
  expect(second.notes).toEqual([expect.stringContaining('could not check whether')]);
  const stored = await page.evaluate(() => window.lab.stored());
  expect(stored.map(({ id }) => id)).toContain(first.id);
  expect(stored.find(({ id }) => id === first.id)!.storedBytes).toBeGreaterThan(200_000);
  await page.evaluate((id) => window.lab.forget(id), first.id);
  expect((await page.evaluate(() => window.lab.stored())).map(({ id }) => id)).not.toContain(first.id);
  folders.put('tiny-a', folder);
  await page.evaluate((source) => window.lab.load(source), url);
  expect(folders.requests).toContain('tiny-a/model.safetensors');
});

test('progress is reported, and a signal stops a task while the laboratory lives on', async ({
  sharedPage: page,
  folders,
}) => {
  const { folder, golden } = fixture('tiny-c');
  const url = folders.put('tiny-c', folder);
  await page.evaluate((source) => window.lab.load(source), url);
  const { stages, failure } = await page.evaluate(async (tokenIds) => {
    const { lab } = window;
    const heard: { done: number; total: number }[] = [];
    await lab.calibrate({ tokenIds });
    await lab.importance('ppl', { onProgress: ({ done, total }) => void heard.push({ done, total }) });
    const controller = new AbortController();
    const running = lab.perplexity('base', { tokenIds, runtime: 'ort-wasm', signal: controller.signal });
    controller.abort();
    return { stages: heard, failure: await window.failure(running) };
  }, golden.calibration_token_ids);
  expect(stages.length).toBeGreaterThan(0);
  expect(stages.every(({ done, total }) => done >= 0 && done <= total)).toBe(true);
  expect(failure.code).toBe('aborted');
  const after = await page.evaluate(
    (tokenIds) => window.lab.perplexity('base', { tokenIds }),
    golden.calibration_token_ids,
  );
  expectClose(after.perplexity, golden.base_ppl, tolerance, 'perplexity after a cancelled one');
});

test('a task is asked of a file and of the built-in stories, and its result stays in the row', async ({
  page,
  folders,
}) => {
  test.skip(!longTier, 'for its time in `npm run test:long` only');
  const url = folders.put('tiny-a', fixture('tiny-a').folder);
  await openLab(page);
  await page.evaluate((source) => window.lab.load(source), url);
  const { asked, stories, unknown, broken, cancelled, progress, rows } = await page.evaluate(async () => {
    const { lab, failure } = window;
    const questions = ['was', 'is'].map((good) => ({ context: 'the hedge', choices: [good, 'and'], label: 0 }));
    const file = (text: string): File => new File([text], 'hedge.jsonl');
    const text = questions.map((question) => JSON.stringify(question)).join('\n');
    const progress: string[] = [];
    return {
      asked: await lab.evaluate('base', {
        task: file(text),
        onProgress: ({ done, total, unit }) => progress.push(`${done}/${total} ${unit}`),
      }),
      stories: await lab.evaluate('base', { task: 'story-endings', limit: 3 }),
      unknown: await failure(lab.evaluate('base', { task: 'piqa' })),
      broken: await failure(lab.evaluate('base', { task: file(`${text}\n{"context": "x"}`) })),
      cancelled: await failure(lab.evaluate('base', { task: file(text), signal: AbortSignal.abort() })),
      progress,
      rows: await lab.comparison(),
    };
  });
  expect(asked).toMatchObject({ task: 'hedge.jsonl', items: 2 });
  expect(asked.answers.map(({ logLikelihoods }) => logLikelihoods.every((sum) => sum < 0))).toEqual([true, true]);
  expect(stories).toMatchObject({ task: 'story-endings', items: 3 });
  expect(unknown.code).toBe('bad-argument');
  expect(broken).toMatchObject({
    code: 'bad-source',
    message: expect.stringContaining('hedge.jsonl, line 3: expected'),
  });
  expect(cancelled.code).toBe('aborted');
  expect(progress.at(-1)).toBe('2/2 questions');
  expect(rows[0]?.tasks?.map(({ task }) => task)).toEqual(['hedge.jsonl', 'story-endings']);
  // The button asks the page's number of questions: what a script asked does not count.
  const stage = page.getByRole('region', { name: 'Comparison', exact: true });
  await stage.getByRole('button', { name: 'Ask the built-in questions' }).click();
  await expect(stage.getByText('Every model here has answered the 20 questions.')).toBeVisible();
  await expect(stage.getByRole('row', { name: 'original model' })).toContainText('story-endings');
});

test('wrong arguments are refused before anything runs', async ({ page, folders }) => {
  const url = folders.put('tiny-a', fixture('tiny-a').folder);
  await openLab(page);
  const unloaded = await page.evaluate(() => window.failure(window.lab.importance('ppl')));
  expect(unloaded.code).toBe('not-loaded');
  const failures = await page.evaluate(async (source) => {
    const { lab, failure } = window;
    const { id } = await lab.load(source);
    const plan = { version: 1 as const, model: id, removeBlocks: [4], removeAttention: [], removeMlp: [] };
    return {
      'bad-argument': [
        await failure(lab.importance('best' as 'ppl')),
        await failure(lab.widthImportance('best' as 'flap')),
        await failure(lab.perplexity('base', { tokenIds: [[1, 97]] })),
        await failure(lab.perplexity('base', { tokenIds: [[1]] })),
        await failure(lab.importance('angular', { window: 9 })),
        await failure(lab.plan({ criterion: 'ppl', ratio: 1.5 })),
        await failure(lab.generate('base', 'x', { temperature: Number.NaN })),
        await failure(lab.generate('base', 'x', { topK: 0.5 })),
        await failure(lab.generate('base', 'x', { newTokens: -3 })),
        await failure(lab.generate('base', 42 as unknown as string)),
        await failure(lab.generate('base', 'x', { nobody: () => 1 } as object)),
        await failure(lab.generate('base', 'x', 5 as unknown as object)),
        await failure(lab.latency('base', { batchSizes: [] })),
        await failure(lab.latency('base', { promptTokens: 200, newTokens: 200 })),
        await failure(lab.calibrate({ samples: 1e9 })),
        await failure(lab.evaluate('base', { task: 'piqa' })),
        await failure(lab.evaluate('base', { task: 'story-endings', limit: 0 })),
      ],
      'bad-source': [await failure(lab.evaluate('base', { task: new File(['{"context": "x"}'], 'x.jsonl') }))],
      'bad-plan': [
        await failure(lab.variant(plan)),
        await failure(lab.variant({ ...plan, model: 'another', removeBlocks: [1] })),
        await failure(lab.plan({ blocks: [0, 1, 2, 3] })),
      ],
      'not-found': [await failure(lab.perplexity('nobody')), await failure(lab.discard('nobody'))],
    };
  }, url);
  for (const [code, list] of Object.entries(failures)) {
    expect(list.map((failure) => [failure.code, failure.message])).toEqual(
      list.map((failure) => [code, failure.message]),
    );
  }
});

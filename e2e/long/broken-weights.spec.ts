/** @file A checkpoint with an infinite weight: it opens, no runtime gives a number of what uses it, variants without it work. */
import { checkpoint, type Piece, pieces, safetensors } from '../support/checkpoint';
import { expect, openLab, test } from '../support/test';

const name = 'model.layers.2.mlp.down_proj.weight';

function spoilt(): Piece[] {
  return pieces().map((piece) => {
    if (piece.name !== name) return piece;
    const bytes = Uint8Array.from(piece.bytes);
    new DataView(bytes.buffer).setFloat32(4 * 5, Number.POSITIVE_INFINITY, true);
    return { ...piece, bytes };
  });
}

test('an infinite weight is named by whatever would compute with it', async ({ page, folders }) => {
  const url = folders.put('spoilt', checkpoint().set('model.safetensors', safetensors(spoilt())));
  await openLab(page);
  await page.evaluate((source) => window.lab.load(source), url);
  const found = await page.evaluate(async () => {
    const { lab, failure } = window;
    const tokenIds = [Array.from({ length: 24 }, (_, i) => 3 + ((i * 7) % 30)), [4, 5, 6, 7, 8]];
    await lab.calibrate({ tokenIds });
    const timing = { promptTokens: 4, newTokens: 4, warmups: 1, runs: 2, runtime: 'ort-wasm' } as const;
    const failures = [
      // ONNX Runtime first, before anything else has checked the weights.
      await failure(lab.perplexity('base', { tokenIds, runtime: 'ort-wasm' })),
      await failure(lab.perplexity('base', { tokenIds })),
      await failure(lab.plan({ criterion: 'taylor', count: 1 })),
      await failure(lab.plan({ criterion: 'block-influence', count: 1 })),
      await failure(lab.importance('magnitude')),
      await failure(lab.importance('ppl')),
      await failure(lab.widthImportance('magnitude-sp')),
      await failure(lab.latency('base', timing)),
    ];
    const { id } = await lab.variant(await lab.plan({ mlp: [2] }));
    return {
      failures,
      engine: await lab.perplexity(id, { tokenIds }),
      ort: await lab.perplexity(id, { tokenIds, runtime: 'ort-wasm' }),
      against: await failure(lab.latency(id, { ...timing, against: 'base' })),
      alone: await lab.latency(id, timing),
    };
  });
  for (const failure of [...found.failures, found.against]) {
    expect(failure.code).toBe('non-finite');
    expect(failure.message).toContain(`${name}[5] = Infinity: 1 of its ${32 * 48} values is not finite`);
  }
  expect(found.engine.perplexity).toBeGreaterThan(1);
  expect(Math.abs(found.engine.meanNll - found.ort.meanNll)).toBeLessThan(1e-3);
  expect(found.alone[0]!.latencyMs).toBeGreaterThan(0);
});

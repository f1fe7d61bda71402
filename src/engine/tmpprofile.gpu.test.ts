import { test } from 'vitest';
import { Engine } from './engine';
import { Stream } from './stream';
import { openTestDevice } from './testing';
import { randomModel } from './testWeights';

const cpu = () => {
  const u = process.cpuUsage();
  return (u.user + u.system) / 1000;
};
test('profile', async () => {
  const context = await openTestDevice();
  const shape = {
    family: 'llama',
    vocab: 1500,
    hidden: 128,
    layers: [...Array(12).keys()].map((source) => ({ source, heads: 8, kvHeads: 4, headDim: 16, ffn: 352 })),
    normEps: 1e-5,
    ropeTheta: 10000,
    maxPositions: 512,
    tiedHead: true,
  };
  const model = randomModel(shape, 'F16');
  let t = cpu();
  let w = performance.now();
  const engine = await Engine.create(context, model);
  console.log('create cpu', (cpu() - t).toFixed(0), 'wall', (performance.now() - w).toFixed(0));
  const windows = [...Array(10).keys()].map((w) => [...Array(128).keys()].map((i) => (i * 7 + w * 31) % 1500));
  let best = 1e9;
  for (let i = 0; i < 4; i++) {
    t = cpu();
    w = performance.now();
    await engine.score(shape.layers, windows);
    const ms = cpu() - t;
    best = Math.min(best, ms);
    console.log(
      'score cpu',
      ms.toFixed(0),
      'wall',
      (performance.now() - w).toFixed(0),
      'tokens per cpu-second',
      (1280000 / ms).toFixed(0),
    );
  }
  const acc: Record<string, [number, number, number]> = {};
  const orig = Stream.prototype.launch;
  (Stream.prototype as any).launch = async function (this: Stream, k: any, b: any, p: any, f: number) {
    await this.finish();
    const t = cpu();
    await (orig as any).call(this, k, b, p, f);
    await this.finish();
    const a = (acc[k.name] ??= [0, 0, 0]);
    a[0] += cpu() - t;
    a[1]++;
    a[2] += f;
  };
  await engine.score(shape.layers, windows);
  Stream.prototype.launch = orig;
  for (const [n, [ms, c, f]] of Object.entries(acc))
    console.log(n.padEnd(36), ms.toFixed(1).padStart(8), 'cpu-ms', c, (f / ms / 1e6).toFixed(2), 'GF/s');
  t = cpu();
  w = performance.now();
  await engine.removalSweep(
    windows,
    shape.layers.map((_, layer) => ({ layer, part: 'block' as const })),
  );
  const s = cpu() - t;
  console.log(
    'sweep cpu',
    s.toFixed(0),
    'wall',
    (performance.now() - w).toFixed(0),
    'ratio to 13 scores (best)',
    (s / 13 / best).toFixed(2),
  );
  t = cpu();
  for (let l = 0; l < 12; l++)
    await engine.score(
      shape.layers.filter((_, i) => i !== l),
      windows,
    );
  const sep = cpu() - t;
  console.log('12 separate', sep.toFixed(0), 'sweep ratio to 12 separate', (s / sep).toFixed(2));
  for (const wait of [300, 2000]) {
    const c = new AbortController();
    let fired = 0;
    setTimeout(() => {
      fired = performance.now();
      c.abort();
    }, wait);
    try {
      await engine.removalSweep(
        windows,
        shape.layers.map((_, layer) => ({ layer, part: 'block' as const })),
        { signal: c.signal },
      );
    } catch (e) {
      console.log('cancel took', (performance.now() - fired).toFixed(0), 'ms');
    }
  }
  engine.dispose();
}, 600000);

/** @file Which device ONNX Runtime's sessions get, with adapters that only pretend. */
import { expect, test, vi } from 'vitest';
import { openDevice } from '../../engine/gpu/device';
import { LabError } from '../../errors';
import { OrtDevice } from './ortDevice';

interface Opened {
  readonly features: readonly string[];
  lose(): void;
}

/** A GPU whose adapters each give one device, as WebGPU's do, and a note of every device. */
function pretend(subgroupMinSize: number, features: readonly string[] = ['shader-f16', 'subgroups']) {
  const opened: Opened[] = [];
  const requestAdapter = async () => {
    let spent = false;
    return {
      info: { vendor: 'intel', architecture: 'gen-12lp', description: '', device: '', subgroupMinSize },
      features: new Set(features),
      limits: { maxBufferSize: 1000 },
      requestDevice: async ({ requiredFeatures }: { requiredFeatures: string[] }) => {
        if (spent) throw new Error('The adapter is consumed.');
        spent = true;
        let lose = () => {};
        const lost = new Promise((resolve) => {
          lose = () => resolve({ reason: 'unknown', message: 'gone' });
        });
        opened.push({ features: requiredFeatures, lose });
        return { lost };
      },
    };
  };
  return { gpu: { requestAdapter } as unknown as GPU, opened };
}

async function beside(subgroupMinSize: number, features?: readonly string[]) {
  const { gpu, opened } = pretend(subgroupMinSize, features);
  const engine = await openDevice(gpu);
  const ort = new OrtDevice((feature) => openDevice(gpu, { without: [feature] }));
  return { engine, ort, opened };
}

test.each([4, 8])('subgroups of %i: the engine keeps them, the sessions share one device without', async (size) => {
  const { engine, ort, opened } = await beside(size);
  const [first, second] = await Promise.all([ort.context(engine), ort.context(engine)]);
  expect(first).toBe(second);
  expect(await ort.context(engine)).toBe(first);
  expect(opened.map((device) => device.features)).toEqual([['shader-f16', 'subgroups'], ['shader-f16']]);
  expect(ort.distrust(first)).toBe(false); // nothing else is left to try
});

test('wide subgroups, or none: one device for both', async () => {
  for (const { engine, ort, opened } of [await beside(16), await beside(32), await beside(8, ['shader-f16'])]) {
    expect(await ort.context(engine)).toBe(engine);
    expect(opened).toHaveLength(1);
  }
});

test('a session that was wrong with subgroups gets a device without, once', async () => {
  const { engine, ort, opened } = await beside(32);
  const shared = await ort.context(engine);
  expect(ort.distrust(shared)).toBe(true);
  const own = await ort.context(engine);
  expect(own).not.toBe(engine);
  expect(own.info.features).toEqual(['shader-f16']);
  expect(ort.distrust(own)).toBe(false);
  expect(opened).toHaveLength(2);
});

test('a lost device is opened anew, and one that could not be opened is tried again', async () => {
  const { engine, ort, opened } = await beside(8);
  const first = await ort.context(engine);
  opened[1]?.lose();
  await first.lost;
  await vi.waitFor(async () => expect(await ort.context(engine)).not.toBe(first));
  expect(opened).toHaveLength(3);

  const refusal = new LabError('no-webgpu', 'refused', 'Try again.');
  const open = vi.fn().mockRejectedValueOnce(refusal).mockResolvedValue(first);
  const again = new OrtDevice(open);
  await expect(again.context(engine)).rejects.toBe(refusal);
  expect(await again.context(engine)).toBe(first);
});

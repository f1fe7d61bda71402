/** @file Text of the engine through the laboratory: whole model and variants, as it grows, cancelled and begun again. */
import { beforeAll, expect, test } from 'vitest';
import type { Progress } from '../../task';
import type { Session } from './session';
import { inNode, sessionWith } from './testing/nodeSession';

let session: Session;
inNode({ ort: false });
beforeAll(async () => {
  session = await sessionWith('tiny-b');
});

const write = (target: Parameters<Session['generate']>[1], task: Parameters<Session['generate']>[0] = {}, more = {}) =>
  session.generate(task, target, 'the hedge', { runtime: 'wgsl', newTokens: 8, ...more });

test('the base and variants write from the same weights, as the text grows; memory is as before', async () => {
  const { id, shape } = await session.variant({}, await session.plan({}, { blocks: [1] }), {});
  await write('base'); // shaders, tables of angles
  const before = (await session.memory({}))!.liveBytes;
  for (const target of ['base', id, await session.plan({}, { attention: [0], mlp: [2] })]) {
    const grown: string[] = [];
    const onProgress = ({ stage, text }: Progress) => {
      if (stage === 'Writing') grown.push(text ?? '');
    };
    const { text, tokenIds, runtime, device } = await write(target, { onProgress });
    expect(runtime).toBe('wgsl');
    expect(device.runtime).toContain('WGSL engine');
    expect(tokenIds.length).toBeGreaterThan(0);
    expect(grown.length).toBeGreaterThan(0);
    for (const part of grown) expect(text.startsWith(part)).toBe(true);
    expect((await write(target)).tokenIds).toEqual(tokenIds);
    expect((await session.memory({}))!.liveBytes).toBe(before);
  }
  expect(shape.layers).toHaveLength(2);
});

test('sampled text repeats with its seed', async () => {
  const sampled = (seed: number) => write('base', {}, { temperature: 1.5, topK: 40, topP: 0.95, seed });
  const first = await sampled(3);
  expect((await sampled(3)).tokenIds).toEqual(first.tokenIds);
  expect((await sampled(4)).tokenIds).not.toEqual(first.tokenIds);
});

test('cancelled between two tokens, a text leaves the engine as it was', async () => {
  const whole = await write('base');
  const before = (await session.memory({}))!.liveBytes;
  const controller = new AbortController();
  let after = 0;
  const onProgress = ({ stage, done }: Progress) => {
    if (controller.signal.aborted) after += 1;
    if (stage === 'Writing' && done === 3) controller.abort();
  };
  await expect(write('base', { signal: controller.signal, onProgress })).rejects.toMatchObject({ code: 'aborted' });
  expect(after).toBe(0);
  expect((await session.memory({}))!.liveBytes).toBe(before);
  expect(await write('base')).toEqual(whole);
});

import { expect, test } from 'vitest';
import { memoryPlan } from '../../model/memory';
import type { Repository } from '../sources/repository';
import { newStore } from '../testing/memory';
import { tinyConfig } from '../testing/tinyModel';
import { previewModel } from './preview';

function repository(config: object, weightBytes: number | null): Repository {
  return {
    id: 'hf:a/b',
    label: 'a/b@0',
    revision: '0',
    remote: true,
    list: async () => [
      { name: 'config.json', size: 100, optional: false },
      { name: 'model.safetensors', size: weightBytes, optional: false },
    ],
    open: async () => {
      const text = new Blob([JSON.stringify(config)]);
      return { size: text.size, stream: text.stream() };
    },
  };
}

test('the plan for the GPU is that of the type that the sizes of the files tell', async () => {
  const preview = await previewModel(repository(tinyConfig, 24_000), await newStore());
  expect(preview.memory).toEqual(memoryPlan(preview.config.shape, 'F32'));
  const halves = await previewModel(repository(tinyConfig, 12_000), await newStore());
  expect(halves.memory).toMatchObject({ dtype: 'F16' });
  expect((await previewModel(repository(tinyConfig, null), await newStore())).memory).toBeNull();
});

import { expect, test } from 'vitest';
import { previewModel } from './preview';
import type { Repository } from './repository';
import { newStore } from './testing/memory';
import { tinyConfig } from './testing/tinyModel';

function repository(config: object): Repository {
  return {
    id: 'hf:a/b',
    label: 'a/b@0',
    revision: '0',
    remote: true,
    list: async () => [
      { name: 'config.json', size: 100, optional: false },
      { name: 'model.safetensors', size: 60_000, optional: false },
    ],
    open: async () => {
      const text = new Blob([JSON.stringify(config)]);
      return { size: text.size, stream: text.stream() };
    },
  };
}

test('the largest binding is the joined gate and up, however large a vocabulary that the engine cuts', async () => {
  const { parameters, weightBytes, largestBindingBytes } = await previewModel(repository(tinyConfig), await newStore());
  // Two MLP matrices of 24 × 16 lie in one buffer.
  expect(largestBindingBytes! / weightBytes!).toBeCloseTo((2 * 24 * 16) / parameters, 3);
  const wide = await previewModel(repository({ ...tinyConfig, vocab_size: 4000 }), await newStore());
  expect(wide.largestBindingBytes! / wide.weightBytes!).toBeCloseTo((2 * 24 * 16) / wide.parameters, 3);
});

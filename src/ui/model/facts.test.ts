import { expect, test } from 'vitest';
import type { ModelInfo } from '../../report/facts';
import { modelFacts, shortRevision, shortSource, storedSource } from './facts';

const layer = { source: 0, heads: 8, kvHeads: 4, headDim: 8, ffn: 172 };
const model = {
  id: 'demo@1',
  source: 'demo',
  architecture: 'LlamaForCausalLM',
  shape: { hidden: 64, vocab: 512, layers: [layer, { ...layer, source: 1, ffn: 100 }] },
  parameters: 260_032,
  storedBytes: 1_040_128,
  dtype: 'F32',
} as unknown as ModelInfo;

test('layers that differ show as a range', () => {
  const facts = Object.fromEntries(modelFacts(model).map(({ label, value }) => [label, value]));
  expect(facts).toMatchObject({
    Architecture: 'Llama',
    Blocks: '2',
    'Heads / KV': '8 / 4',
    MLP: '100–172',
    Parameters: '260\u00a0k',
    Stored: '1.0\u00a0MB F32',
  });
});

test('files from this device open again by their id, everything else by its source', () => {
  expect(storedSource(model)).toBe('demo');
  expect(storedSource({ ...model, id: 'files:ab12' })).toBe('files:ab12');
});

test('a commit is shown in seven digits, anything else as it is', () => {
  const commit = '0123456789abcdef0123456789abcdef01234567';
  expect(shortSource(`a/b@${commit}`)).toBe('a/b@0123456');
  expect(shortRevision(commit)).toBe('0123456');
  expect(shortSource('https://host.test/m/')).toBe('https://host.test/m/');
  expect(shortRevision('v1.0')).toBe('v1.0');
});

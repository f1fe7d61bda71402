/** @file What the width methods select by PyTorch's scores, against PyTorch's selections of the same checkpoints. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readModel } from '../engine/testing/testWeights';
import type { StructureScores } from '../importance/method';
import type { WidthId } from '../importance/methods';
import { modelParameters } from '../model/count';
import type { ModelShape } from '../model/shape';
import type { KeptByLayer } from './plan';
import { selectWidth } from './selectWidth';

interface Cut {
  readonly keepHeads?: KeptByLayer;
  readonly keepNeurons: KeptByLayer;
  readonly parameters: number;
}
type Golden = Record<'wanda_sp' | 'flap' | 'llm_pruner', StructureScores>;

const read = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;
const scoreNames = { 'wanda-sp': 'wanda_sp', flap: 'flap', 'llm-pruner': 'llm_pruner' } as const;

/** Lists in which all that stays is written out. */
function written({ layers }: ModelShape, { keepHeads, keepNeurons }: Pick<Cut, 'keepHeads' | 'keepNeurons'>) {
  const all = (count: number) => Array.from({ length: count }, (_, index) => index);
  return {
    keepHeads: layers.map(({ heads }, index) => keepHeads?.[index] ?? all(heads)),
    keepNeurons: layers.map(({ ffn }, index) => keepNeurons[index] ?? all(ffn)),
  };
}

const fixtures = fileURLToPath(new URL('../../tools/golden/fixtures/', import.meta.url));
const names = ['a', 'b', 'c', 'biases', 'gemma', 'gemma2', 'gemma3', 'llama3', 'mistral', 'olmo2', 'qwen2', 'qwen3'];
describe.each(names.map((name) => `tiny-${name}`))('%s', (name) => {
  const { shape } = readModel(fixtures + name);
  const golden = read<Golden>(`${fixtures}${name}/golden.json`);
  const cuts = read<Record<string, Cut>>(`${fixtures}${name}/cuts.json`);
  const none = { first: 0, last: 0 };

  test('Wanda-sp: half of the groups, or of the heads of the one group, and of the neurons', () => {
    const scores = golden.wanda_sp;
    const { kept } = selectWidth(shape, { method: 'wanda-sp', scores, ratio: 0.5, asPublished: true });
    expect(written(shape, kept)).toEqual(written(shape, cuts['wanda-sp 0.5']!));
  });

  test.each(['0.35', '0.5'])('FLAP at the ratio of all parameters that PyTorch’s search at %s removes', (share) => {
    const cut = cuts[`flap ${share}`]!;
    const ratio = 1 - cut.parameters / modelParameters(shape);
    const { kept } = selectWidth(shape, { method: 'flap', scores: golden.flap, ratio });
    expect(written(shape, kept)).toEqual(written(shape, cut));
  });

  test('LLM-Pruner: half of the groups and of the neurons', () => {
    const scores = golden.llm_pruner;
    const how = { method: 'llm-pruner', ratio: 0.5, asPublished: true, protect: none } as const;
    expect(written(shape, selectWidth(shape, { ...how, scores }).kept)).toEqual(
      written(shape, cuts['llm-pruner 0.5']!),
    );
  });
});

const cutsFile = '../shared/golden/stories260K-cut.json';
describe.skipIf(!existsSync(cutsFile))('skipped when ../shared is not beside the project', () => {
  test.each(['wanda-sp', 'flap', 'llm-pruner'] as const)(
    'stories260K: a quarter of every block by the scores of %s',
    (id) => {
      const { shape } = readModel('../shared/models/stories260K');
      const golden = read<Golden>('../shared/golden/stories260K.json');
      const { width } = read<{ width: Record<WidthId, Cut> }>(cutsFile);
      const method = id === 'flap' ? 'wanda-sp' : id;
      const scores = golden[scoreNames[id]];
      const protect = { first: 0, last: 0 };
      const { kept } = selectWidth(shape, { method, scores, ratio: 0.25, asPublished: true, protect });
      expect(kept).toEqual({ keepHeads: width[id].keepHeads, keepNeurons: width[id].keepNeurons });
    },
  );
});

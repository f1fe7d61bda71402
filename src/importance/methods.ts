/**
 * @file The registry of methods, in the order in which menus show them. The page's menus, `lab`, `npm run lab` and the
 * report read these records. A new method is one file that exports its computation as default, and one record here.
 */
import { LabError } from '../errors';
import type { EvolutionRecord, GreedyRecord, MethodOption, MethodRecord, ScoreRecord, WidthRecord } from './method';

export const methods = [
  {
    kind: 'score',
    id: 'ppl',
    label: 'Perplexity',
    paper: 'Kim et al. 2024, Shortened LLaMA, §2.2',
    needs: 'gpu',
    units: ['block', 'attention', 'mlp'],
    options: [],
    meaning: 'Perplexity of the model without the block. Higher means that the block matters more.',
    subBlockMeaning: 'Perplexity of the model without this attention or MLP. Higher means that it matters more.',
    logScale: true,
    load: () => import('./depth/ppl'),
  },
  {
    kind: 'score',
    id: 'taylor',
    label: 'Taylor',
    paper: 'Kim et al. 2024, Shortened LLaMA, §2.2 (Taylor+ with the + rule)',
    needs: 'gpu',
    units: ['block', 'attention', 'mlp'],
    options: [],
    meaning:
      'How much the loss would change, to first order, if each weight of the block became zero: Σ |weight × gradient|.',
    combined: true,
    load: () => import('./depth/taylor'),
  },
  {
    kind: 'score',
    id: 'block-influence',
    label: 'Block influence',
    paper: 'Men et al. 2024, ShortGPT; for attentions and MLPs He et al. 2024, What Matters in Transformers?',
    needs: 'gpu',
    units: ['block', 'attention', 'mlp'],
    options: [],
    meaning: 'How much a block rotates the hidden state: 1 − cosine similarity of its input and output.',
    subBlockMeaning:
      'How much an attention or MLP rotates the hidden state: 1 − cosine similarity of its input and output.',
    combined: true,
    quick: true,
    load: () => import('./depth/blockInfluence'),
  },
  {
    kind: 'score',
    id: 'angular',
    label: 'Angular distance',
    paper: 'Gromov et al. 2024, The Unreasonable Ineffectiveness of the Deeper Layers',
    needs: 'gpu',
    units: ['block'],
    options: ['window'],
    meaning: 'Angle between a block’s input and output at the last token, as a share of π.',
    combined: true,
    quick: true,
    load: () => import('./depth/angular'),
  },
  {
    kind: 'score',
    id: 'magnitude',
    label: 'Magnitude',
    paper: 'Kim et al. 2024, Shortened LLaMA, §2.2 (Mag+ with the + rule)',
    needs: 'weights',
    units: ['block'],
    options: [],
    meaning: 'Sum of the absolute weights of the block. Uses no text.',
    combined: true,
    quick: true,
    load: () => import('./depth/magnitude'),
  },
  {
    kind: 'score',
    id: 'random',
    label: 'Random',
    paper: 'baseline',
    needs: 'nothing',
    units: ['block', 'attention', 'mlp'],
    options: ['seed'],
    meaning: 'A seeded shuffle, the baseline that every criterion should beat.',
    load: () => import('./depth/random'),
  },
  {
    kind: 'score',
    id: 'reverse-order',
    label: 'Reverse order',
    paper: 'baseline, e.g. in Men et al. 2024, ShortGPT, and Lu et al. 2024, Reassessing Layer Pruning in LLMs',
    needs: 'nothing',
    units: ['block', 'attention', 'mlp'],
    options: [],
    meaning: 'The last blocks first: the simplest baseline, without looking at the model.',
    load: () => import('./depth/reverseOrder'),
  },
  {
    kind: 'greedy',
    id: 'sleb',
    label: 'SLEB',
    paper: 'Song et al. 2024, SLEB: Streamlining LLMs through Redundancy Verification and Elimination',
    needs: 'gpu',
    units: ['block'],
    options: ['count', 'barriers'],
    meaning:
      'Greedy over blocks: remove the block whose removal raises the loss least, re-measure all remaining blocks, repeat.',
    barriers: { first: 1, last: 1 },
    load: () => import('./search/sleb'),
  },
  {
    kind: 'greedy',
    id: 'block-pruner',
    label: 'BlockPruner',
    paper: 'Zhong et al. 2024, BlockPruner: Fine-grained Pruning for Large Language Models',
    needs: 'gpu',
    units: ['half'],
    options: ['count', 'barriers'],
    meaning:
      'Greedy over attentions and MLPs: remove the sub-block whose removal raises the loss least, re-measure, repeat.',
    barriers: { first: 0, last: 0 },
    load: () => import('./search/blockPruner'),
  },
  {
    kind: 'evolution',
    id: 'evopress',
    label: 'EvoPress',
    paper: 'Sieberling et al. 2024, EvoPress: Towards Optimal Dynamic Model Compression via Evolutionary Search',
    needs: 'gpu',
    units: ['block', 'attention', 'mlp', 'half'],
    options: ['count', 'barriers', 'seed', 'generations', 'offspring', 'survivors', 'tokens'],
    meaning:
      'Searches by evolution for the set of units whose removal changes the predictions least (lowest KL divergence from the original model).',
    barriers: { first: 0, last: 0 },
    load: () => import('./search/evopress'),
  },
  {
    kind: 'width',
    id: 'wanda-sp',
    label: 'Wanda-sp',
    paper: 'An et al. 2024, FLAP (a baseline), after Sun et al. 2024, Wanda',
    needs: 'gpu',
    units: ['head', 'neuron'],
    options: [],
    meaning: 'The size of a channel’s weights times the size of its activations.',
    combined: true,
    load: () => import('./width/wandaSp'),
  },
  {
    kind: 'width',
    id: 'flap',
    label: 'FLAP',
    paper: 'An et al. 2024, Fluctuation-based Adaptive Structured Pruning (WIFV)',
    needs: 'gpu',
    units: ['head', 'neuron'],
    options: [],
    meaning: 'How much a channel varies around its mean, times the size of its weights.',
    combined: true,
    load: () => import('./width/flap'),
  },
  {
    kind: 'width',
    id: 'llm-pruner',
    label: 'LLM-Pruner',
    paper: 'Ma et al. 2023, LLM-Pruner, §3.2 (element-wise, first order)',
    needs: 'gpu',
    units: ['kvGroup', 'neuron'],
    options: [],
    meaning: 'Σ |weight × gradient| over all weights that are removed together.',
    combined: true,
    load: () => import('./width/llmPruner'),
  },
  {
    kind: 'width',
    id: 'magnitude-sp',
    label: 'Magnitude-sp',
    paper: 'An et al. 2024, FLAP (a baseline)',
    needs: 'weights',
    units: ['head', 'neuron'],
    options: [],
    meaning: 'Norm of a channel’s weights. Uses no text.',
    combined: true,
    load: () => import('./width/magnitudeSp'),
  },
  {
    kind: 'width',
    id: 'random',
    label: 'Random',
    paper: 'baseline',
    needs: 'nothing',
    units: ['head', 'neuron'],
    options: ['seed'],
    meaning: 'A seeded shuffle, the baseline that every method should beat.',
    load: () => import('./width/random'),
  },
] as const satisfies readonly MethodRecord[];

type Entry = (typeof methods)[number];
type IdOf<Kind extends MethodRecord['kind']> = Extract<Entry, { readonly kind: Kind }>['id'];

/** Ids of methods that `lab.importance` measures. */
export type Criterion = Exclude<Entry, { readonly kind: 'width' }>['id'];
export type ScoreId = IdOf<'score'>;
export type SearchId = IdOf<'greedy'>;
export type EvolutionId = IdOf<'evolution'>;
/** Ids of methods that `lab.widthImportance` measures. */
export type WidthId = IdOf<'width'>;

/** A record whose id is one of the registry's. */
type With<Id extends string, T extends MethodRecord> = T & { readonly id: Id };
export type ScoreEntry = With<ScoreId, ScoreRecord>;
export type GreedyEntry = With<SearchId, GreedyRecord>;
export type EvolutionEntry = With<EvolutionId, EvolutionRecord>;
export type WidthEntry = With<WidthId, WidthRecord>;
/** A method that `lab.importance` measures. */
export type CriterionEntry = ScoreEntry | GreedyEntry | EvolutionEntry;

const all: readonly (CriterionEntry | WidthEntry)[] = methods;

export const criteria = all.filter((method): method is CriterionEntry => method.kind !== 'width');
export const scoreMethods = all.filter((method): method is ScoreEntry => method.kind === 'score');
export const greedyMethods = all.filter((method): method is GreedyEntry => method.kind === 'greedy');
export const evolutionMethods = all.filter((method): method is EvolutionEntry => method.kind === 'evolution');
export const widthMethods = all.filter((method): method is WidthEntry => method.kind === 'width');

/** The score methods that run without a GPU: all that a browser without WebGPU has. */
export const withoutGpu = scoreMethods.filter(({ needs }) => needs !== 'gpu');

/** The method of `lab.importance` by its id. @throws LabError 'bad-argument' that lists the registry */
export function criterionOf(id: string): CriterionEntry {
  return find(criteria, id, 'criterion');
}

/** The method of `lab.widthImportance` by its id. @throws LabError 'bad-argument' that lists the registry */
export function widthMethodOf(id: string): WidthEntry {
  return find(widthMethods, id, 'method');
}

function find<T extends MethodRecord>(records: readonly T[], id: string, where: string): T {
  const found = records.find((record) => record.id === id);
  if (found) return found;
  const available = records.map((record) => record.id).join(', ');
  throw new LabError('bad-argument', `${where}: expected one of ${available}, got '${id}'.`, 'Check the spelling.');
}

/** The name that people read; the id itself for a method that this version does not have. */
export function labelOf(id: string): string {
  return criteria.find((record) => record.id === id)?.label ?? id;
}

/** Whether a method has an option. */
export function takes({ options }: Pick<MethodRecord, 'options'>, option: MethodOption): boolean {
  return options.includes(option);
}

/** @file By which rule heads and neurons were chosen: facts that a plan carries, and sentences for those who read them. */
import { LabError } from '../errors';
import type { WidthId } from '../importance/methods';

/** How grouped-query attentions lose heads: whole key/value groups, or the same number of query heads in each group. */
export type HeadRemoval = 'groups' | 'within-groups';
export const headRemovals = ['groups', 'within-groups'] as const satisfies readonly HeadRemoval[];

/** Widths that hardware likes. */
export const widthMultiples = [8, 16, 32, 64] as const;
export type WidthMultiple = (typeof widthMultiples)[number];

/** The rule that made a plan, as its maker says. Absent options were not asked for. */
export interface WidthRule {
  readonly method: WidthId;
  /** As asked: of all the model's parameters; with `asPublished` of what the official code counts. */
  readonly ratio: number;
  /** The official code's numbers where ours differ on purpose. */
  readonly asPublished?: true;
  /** Of 'wanda-sp': whether each block was scored on what the pruned blocks before it give. */
  readonly sequential?: boolean;
  readonly roundTo?: WidthMultiple;
  readonly heads?: HeadRemoval;
  /** Blocks of the base that the method protects, ascending. */
  readonly protected?: readonly number[];
  /** Blocks of the base whose heads all stay, because none of them can be removed alone, ascending. */
  readonly wholeHeads?: readonly number[];
  /** Blocks of the base that keep one head or neuron that the rule would have removed as the last one, ascending. */
  readonly spared?: readonly number[];
}

const ourMeaning: Readonly<Record<WidthId, string>> = {
  'wanda-sp': 'Every block loses the same share of its heads and of its neurons.',
  'magnitude-sp': 'Every block loses the same share of its heads and of its neurons.',
  random: 'Every block loses the same share of its heads and of its neurons.',
  flap: 'Heads and neurons of all blocks compete by their standardized scores; a head counts as its parameters.',
  'llm-pruner': 'Every block that is not protected loses the same share of its key/value groups and of its neurons.',
};

const publishedMeaning: Readonly<Record<WidthId, string>> = {
  'wanda-sp': 'As in the official code, the ratio is the share of heads and neurons that each block loses.',
  'magnitude-sp': 'As in the official code, the ratio is the share of heads and neurons that each block loses.',
  random: 'The ratio is the share of heads and neurons that each block loses.',
  flap: 'As in the official code, a head counts as 170 neurons, the ratio is the share of heads and neurons so counted, and the fluctuation is a running sum over the samples.',
  'llm-pruner':
    'As in the official code, the ratio is the share of heads and neurons that each block loses, except the first four and the last two.',
};

/** '0–3, 30': block indices, runs of three and more joined. */
export function blockRanges(blocks: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const block of blocks) {
    const run = runs.at(-1);
    if (run?.[1] === block - 1) run[1] = block;
    else runs.push([block, block]);
  }
  const shown = runs.flatMap(([first, last]) => {
    if (first === last) return [`${first}`];
    return last === first + 1 ? [`${first}`, `${last}`] : [`${first}–${last}`];
  });
  return shown.join(', ');
}

const inBlocks = (blocks: readonly number[]): string =>
  `${blocks.length === 1 ? 'block' : 'blocks'} ${blockRanges(blocks)}`;

/** The rule in sentences, one fact each. */
export function ruleSentences(rule: WidthRule): string[] {
  const { method, asPublished, sequential, roundTo, heads } = rule;
  const { protected: whole = [], wholeHeads = [], spared = [] } = rule;
  const sentences = [(asPublished ? publishedMeaning : ourMeaning)[method]];
  if (sequential !== undefined) {
    sentences.push(
      sequential
        ? 'Each block is scored on the output of the pruned blocks before it, as in the official code.'
        : 'Each block is scored on the output of the original blocks before it.',
    );
  }
  if (heads === 'within-groups') sentences.push('Every key/value group loses the same number of query heads.');
  if (roundTo !== undefined) sentences.push(`The neurons that stay in a block are a multiple of ${roundTo}.`);
  if (whole.length > 0) sentences.push(`The method protects ${inBlocks(whole)}.`);
  if (wholeHeads.length > 0) {
    sentences.push(`All heads of ${inBlocks(wholeHeads)} stay: none of them can be removed alone.`);
  }
  if (spared.length > 0) {
    sentences.push(`The rule would have removed the last head or neuron of ${inBlocks(spared)}: it stays.`);
  }
  return sentences;
}

/** Whether a value from outside is a rule. Its sentences are only information: nothing is computed from them. */
function isWidthRule(value: unknown): value is WidthRule {
  if (typeof value !== 'object' || value === null) return false;
  const rule = value as Record<string, unknown>;
  const optional = (name: string, fits: (field: unknown) => boolean) => rule[name] === undefined || fits(rule[name]);
  const blocks = (field: unknown) => Array.isArray(field) && field.every((each) => Number.isSafeInteger(each));
  return (
    typeof rule['method'] === 'string' &&
    Object.hasOwn(ourMeaning, rule['method']) &&
    typeof rule['ratio'] === 'number' &&
    optional('asPublished', (field) => field === true) &&
    optional('sequential', (field) => typeof field === 'boolean') &&
    optional('roundTo', (field) => widthMultiples.some((each) => each === field)) &&
    optional('heads', (field) => headRemovals.some((each) => each === field)) &&
    ['protected', 'wholeHeads', 'spared'].every((name) => optional(name, blocks))
  );
}

/** The rule of a plan that may come from outside. @throws LabError 'bad-plan' */
export function checkRule(value: unknown): WidthRule {
  if (isWidthRule(value)) return value;
  throw new LabError(
    'bad-plan',
    'rule: expected the rule of a width method (method, ratio, …), got something else.',
    'Leave rule out of the plan: it only tells how the plan was made.',
  );
}

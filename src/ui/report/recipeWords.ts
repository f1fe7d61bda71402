/** @file How a variant was made, one sentence a step. Pure. */
import type { ModelShape } from '../../model/shape';
import { repairLabels } from '../../pruning/repairMethods';
import { trainingSentence } from '../../pruning/trainingWords';
import type { RepairStep, Step } from '../../pruning/variant';
import { ruleSentences } from '../../pruning/widthRule';
import type { ComparisonRow } from '../../report/results';
import { corpusTitle } from '../corpora/describe';
import { bytes, percent, plural, significant } from '../parts/format';
import { planText } from '../parts/names';
import { repairMeanings } from '../plan/repairNames';
import { labelOfWidth } from '../width/widthLabels';

export function recipeWords({ recipe }: Pick<ComparisonRow, 'recipe'>, shape: Pick<ModelShape, 'layers'>): string[] {
  const before = (at: number): boolean => recipe.slice(0, at).some(({ kind }) => kind === 'prune');
  return recipe.map((step, at) => stepWords(step, shape, before(at)));
}

function stepWords(step: Step, shape: Pick<ModelShape, 'layers'>, again: boolean): string {
  if (step.kind === 'repair') return repairWords(step);
  if (step.kind === 'patch') {
    return `Weights of its own: ${plural(step.tensors.length, 'tensor')} from a file of ${bytes(step.bytes)}, SHA-256 ${step.sha256}.`;
  }
  if (step.kind === 'retrain') {
    return trainingSentence(step, corpusTitle(step.text.corpus, []));
  }
  const { plan } = step;
  const words = `${again ? 'Pruned again, in all' : 'Pruned:'} ${planText(plan, shape)}`;
  if (!plan.rule) return `${words}.`;
  const { method, ratio, asPublished } = plan.rule;
  const chosen = `chosen by ${labelOfWidth(method)}${asPublished ? ' as published' : ''} at a ratio of ${percent(ratio)}`;
  return `${words}, ${chosen}. ${ruleSentences(plan.rule).join(' ')}`;
}

function repairWords({ method, text, rescalings, patch }: RepairStep): string {
  const { corpus, samples, seqLen, seed, hash } = text;
  const on = `${samples} × ${seqLen} tokens of ${corpusTitle(corpus, [])} (seed ${seed}, tokens ${hash})`;
  const factors = (rescalings ?? []).map(({ before, factor }) => `× ${significant(factor)} before block ${before}`);
  return [
    `Repaired by ${repairLabels[method]}, computed from ${on}. ${repairMeanings[method]}`,
    factors.length > 0 ? `Factors: ${factors.join(', ')}.` : '',
    patch ? `${plural(patch.tensors.length, 'tensor')} of its own, ${bytes(patch.bytes)}.` : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

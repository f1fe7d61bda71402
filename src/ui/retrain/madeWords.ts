/** @file How a variant was trained, in a sentence. Pure. */
import type { CorpusInfo } from '../../lab/contract/types';
import type { RetrainStep } from '../../pruning/variant';
import { trainedOn } from '../corpora/describe';
import { integer, plural, tick } from '../parts/format';
import { methodWords } from './methods';
import { duration } from './words';

/** 'LoRA of rank 8 (alpha 16): 200 steps of 8 rows at a learning rate of 0.001 on built-in stories, 203,200 tokens in 61 s.' */
export function madeWords(step: RetrainStep, corpora: readonly CorpusInfo[]): string {
  const { method, steps, batch, learningRate, text, lora, distill, tokens, seconds } = step;
  const label = methodWords.find(({ id }) => id === method)?.label ?? method;
  const factors = lora ? ` of rank ${lora.rank} (alpha ${tick(lora.alpha)})` : '';
  const softened = distill ? ` (temperature ${tick(distill.temperature)}, weight ${tick(distill.weight)})` : '';
  const rows = `${plural(steps, 'step')} of ${plural(batch, 'row')} at a learning rate of ${tick(learningRate)}`;
  const cost = [
    tokens === undefined ? '' : `${integer(tokens)} tokens`,
    seconds === undefined ? '' : `in ${duration(seconds)}`,
  ].filter((part) => part !== '');
  const spent = cost.length > 0 ? `, ${cost.join(' ')}` : '';
  return `${label}${factors}${softened}: ${rows} on ${trainedOn(text, corpora)}${spent}.`;
}

/** @file What a training did, in one sentence: the report page, Markdown, model cards and recipes use it. Pure. */
import { projectionRoles } from '../model/shape';
import type { RetrainMethod, RetrainStep, TrainingText } from './variant';

export const retrainLabels: Readonly<Record<RetrainMethod, string>> = {
  full: 'continued pretraining',
  lora: 'LoRA',
  'full+lora': 'continued pretraining, then LoRA',
  distill: 'distillation from the base',
};

/** A number in at most three digits. */
const short = (value: number): string => String(Number(value.toPrecision(3)));
const counted = (value: number): string => value.toLocaleString('en-US');

function duration(seconds: number): string {
  if (seconds < 90) return `${short(seconds)} s`;
  return seconds < 5400 ? `${short(seconds / 60)} minutes` : `${short(seconds / 3600)} hours`;
}

/**
 * One sentence: method, factors, steps, rate, tokens, text.
 * @param corpus the name of the step's text for readers, as plain text or in the caller's markup
 * @param source where its pairs come from, likewise
 */
export function trainingSentence(step: RetrainStep, corpus: string, source = step.text.source): string {
  const { method, steps, batch, learningRate, text } = step;
  const details = [...loraWords(step), ...distillWords(step)].join(', ');
  const took = [
    ...(step.tokens === undefined ? [] : [`${counted(step.tokens)} tokens predicted`]),
    ...(step.seconds === undefined ? [] : [`in ${duration(step.seconds)}`]),
  ].join(' ');
  return [
    `Retrained by ${retrainLabels[method]}${details === '' ? '' : ` (${details})`}`,
    `: ${counted(steps)} ${steps === 1 ? 'step' : 'steps'} of ${counted(batch)} ${batch === 1 ? 'row' : 'rows'} at a learning rate of ${short(learningRate)}`,
    took === '' ? '' : `, ${took}`,
    `, on ${textWords(text, source === undefined ? corpus : `${corpus} from ${source}`)}.`,
  ].join('');
}

function loraWords({ lora }: RetrainStep): string[] {
  if (lora === undefined) return [];
  const { rank, alpha, dropout, targets, steps } = lora;
  return [
    ...(steps === undefined ? [] : [`the last ${counted(steps)} steps train the factors`]),
    ...[`rank ${rank}`, `alpha ${short(alpha)}`],
    ...(dropout > 0 ? [`dropout ${short(dropout)}`] : []),
    ...(targets && targets.length < projectionRoles.length ? [`on ${targets.join(' ')}`] : []),
  ];
}

function distillWords({ distill }: RetrainStep): string[] {
  if (distill === undefined) return [];
  return [`temperature ${short(distill.temperature)}`, `weight of the divergence ${short(distill.weight)}`];
}

function textWords({ samples, seqLen, seed, hash, generated, heldOut }: TrainingText, corpus: string): string {
  const drawn = generated
    ? ` at temperature ${short(generated.temperature)}${generated.topK ? `, top ${generated.topK}` : ''}`
    : '';
  const held = heldOut === undefined ? '' : `, ${short(100 * heldOut)} % of its rows held out`;
  return `${counted(samples)} × ${counted(seqLen)} tokens of ${corpus}${drawn}${held} (seed ${seed}, tokens ${hash})`;
}

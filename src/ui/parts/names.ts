/** @file Names of plans, runtimes and adapters on the page. Pure. */

import type { DeviceLabel } from '../../benchmark/deviceLabel';
import type { VariantInfo } from '../../lab/contract/types';
import type { Loss, TaskKey } from '../../lab/page/store';
import { headKind, headUnits } from '../../lab/page/width';
import type { ModelShape } from '../../model/shape';
import { isEmptyPlan, type KeptByLayer, keptOf, type PruningPlan, removedByKind } from '../../pruning/plan';
import type { Runtime } from '../../report/results';
import { bytes, percent, plural } from './format';

/** Ascending indices as text, with runs of three or more joined: [2, 5, 6, 7] → '2 and 5–7'. */
export function indexList(indices: readonly number[]): string {
  const runs: string[] = [];
  for (let start = 0; start < indices.length; ) {
    let end = start;
    while (indices[end + 1] === indices[end]! + 1) end += 1;
    if (end - start >= 2) runs.push(`${indices[start]}–${indices[end]}`);
    else for (let i = start; i <= end; i += 1) runs.push(String(indices[i]));
    start = end + 1;
  }
  const last = runs.pop() ?? '';
  return runs.length > 0 ? `${runs.join(', ')} and ${last}` : last;
}

export function isWhole(plan: PruningPlan): boolean {
  return isEmptyPlan(plan);
}

/** The shape of the base, where it is known: it turns what a plan keeps into what it removes. */
type Base = Pick<ModelShape, 'layers'> | null;

/**
 * What a plan removes of heads and neurons: '9 KV groups' and '18% of the neurons'; without the base's shape 'heads of 4 blocks'.
 * Attentions and MLPs that are removed as a whole do not count.
 */
function widthParts(plan: PruningPlan, base: Base): string[] {
  const narrowed = (list: KeptByLayer = []) => list.filter((kept) => kept !== null).length;
  const [attentions, mlps] = [narrowed(plan.keepHeads), narrowed(plan.keepNeurons)];
  if (!base) {
    return [
      ...(attentions > 0 ? [`heads of ${plural(attentions, 'block')}`] : []),
      ...(mlps > 0 ? [`neurons of ${plural(mlps, 'block')}`] : []),
    ];
  }
  let [heads, units, neurons] = [0, 0, 0];
  let wholeGroups = base.layers.some((layer) => headKind(layer) === 'kvGroup');
  base.layers.forEach((layer, index) => {
    const kept = keptOf(plan, 'keepHeads', index);
    const left = keptOf(plan, 'keepNeurons', index);
    if (left !== null) neurons += layer.ffn - left.length;
    if (kept === null) return;
    const groups = headUnits(layer);
    const removed = groups.filter((group) => group.every((head) => !kept.includes(head)));
    wholeGroups &&= removed.flat().length === layer.heads - kept.length;
    heads += layer.heads - kept.length;
    units += removed.length;
  });
  const all = base.layers.reduce((sum, { ffn }) => sum + ffn, 0);
  return [
    ...(heads > 0 ? [wholeGroups ? plural(units, 'KV group') : plural(heads, 'head')] : []),
    ...(neurons > 0 ? [`${percent(neurons / all)} of the neurons`] : []),
  ];
}

/** 'original model', 'without blocks 5 and 6', 'without block 3 and the attention of 4', 'without 9 KV groups and 18% of the neurons'. */
export function planText(plan: PruningPlan, base: Base = null): string {
  if (isWhole(plan)) return 'original model';
  const parts: string[] = [];
  const [blocks, attentions, mlps] = removedByKind(plan);
  if (blocks.length > 0) parts.push(`block${blocks.length > 1 ? 's' : ''} ${indexList(blocks)}`);
  if (attentions.length > 0) parts.push(`the attention of ${indexList(attentions)}`);
  if (mlps.length > 0) parts.push(`the MLP of ${indexList(mlps)}`);
  parts.push(...widthParts(plan, base));
  return `without ${parts.join(' and ')}`;
}

/** 'own weights, 12 KB'; of a variant whose weights are no longer stored: 'own weights, no longer stored'. */
export function ownWeightsText({ patchBytes, patchLost }: Pick<VariantInfo, 'patchBytes' | 'patchLost'>): string {
  return `own weights, ${patchLost ? 'no longer stored' : bytes(patchBytes)}`;
}

/** Short form for chart labels and table cells: 'none', '5, 6', '2, 5–7', '5; attn 3, 4; MLP 8', '9 KV groups; 18% of the neurons'. */
export function planShort(plan: PruningPlan, base: Base = null): string {
  if (isWhole(plan)) return 'none';
  const list = (indices: readonly number[]): string => indexList(indices).replace(' and ', ', ');
  const [blocks, attentions, mlps] = removedByKind(plan);
  return [
    list(blocks),
    attentions.length > 0 ? `attn ${list(attentions)}` : '',
    mlps.length > 0 ? `MLP ${list(mlps)}` : '',
    ...widthParts(plan, base),
  ]
    .filter((part) => part !== '')
    .join('; ');
}

/** What the plan removes, for a table cell: '2 blocks', '1 block, 2 attn', '9 KV groups, 18% of the neurons', '–'. */
export function removedCount(plan: PruningPlan, base: Base = null): string {
  const [blocks, attentions, mlps] = removedByKind(plan);
  const parts = [
    blocks.length > 0 ? plural(blocks.length, 'block') : '',
    attentions.length > 0 ? `${attentions.length} attn` : '',
    mlps.length > 0 ? `${mlps.length} MLP` : '',
    ...widthParts(plan, base),
  ];
  return parts.filter((part) => part !== '').join(', ') || '–';
}

export const runtimeNames: Readonly<Record<Runtime, string>> = {
  wgsl: 'WGSL engine',
  'ort-webgpu': 'ONNX Runtime WebGPU',
  'ort-wasm': 'ONNX Runtime wasm',
};

/** 'WGSL engine on google swiftshader'. */
export function producedBy(device: DeviceLabel): string {
  return `${device.runtime} on ${device.adapter}`;
}

/** Warning beside every time measured on a software adapter. */
export const softwareWarning = 'software adapter: numbers are correct, times mean nothing';

const taskNames: Readonly<Record<Exclude<TaskKey, `${string}:${string}`>, string>> = {
  load: 'loading a model',
  preview: 'looking a model up',
  live: 'measuring the live perplexity',
  benchmark: 'the benchmark',
  questions: 'asking the built-in questions',
  compare: 'the comparison of variants',
  generate: 'generating text',
  instructions: 'fetching instruction pairs',
  export: 'downloading a variant',
  share: 'reading the report',
  calibrate: 'reading the calibration text',
  survey: 'measuring all criteria',
  tune: 'measuring kernels',
  memory: 'setting the GPU memory limit',
  profile: 'timing kernels',
  evolution: 'the evolutionary search',
  best: 'the search for the best variant',
  widthPlan: 'proposing a cut of heads and neurons',
  repair: 'repairing a variant',
  retrain: 'measuring a trained variant',
  experiment: 'the experiment of retraining',
  reproduce: 'running a report again',
};

/** A running task for use in a sentence: 'the benchmark', 'the criterion taylor', 'a script’s call of lab.survey'. */
export function taskName(task: Loss): string {
  if (task in taskNames) return taskNames[task as keyof typeof taskNames];
  if (task.startsWith('lab.')) return `a script’s call of ${task}`;
  const [kind, name] = task.split(':');
  if (kind === 'search') return `the search ${name}`;
  if (kind === 'text') return 'reading a text';
  if (kind === 'training') return 'a training';
  if (kind === 'width') return `the width method ${name}`;
  return `the criterion ${name}`;
}

/** 'a', 'a and b', 'a, b and c'. */
export function enumerate(parts: readonly string[]): string {
  const last = parts.at(-1) ?? '';
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(', ')} and ${last}`;
}

/** @file Names of plans, runtimes and adapters on the page. Pure. */

import type { DeviceLabel } from '../../benchmark/deviceLabel';
import type { VariantInfo } from '../../lab/contract/types';
import type { Loss, TaskKey } from '../../lab/page/store';
import { isEmptyPlan, type PruningPlan, removedByKind } from '../../pruning/plan';
import type { Runtime } from '../../report/results';
import { bytes, plural } from './format';

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

/** 'original model', 'without blocks 5 and 6', 'without block 3 and the attention of 4'. */
export function planText(plan: PruningPlan): string {
  if (isWhole(plan)) return 'original model';
  const parts: string[] = [];
  const [blocks, attentions, mlps] = removedByKind(plan);
  if (blocks.length > 0) parts.push(`block${blocks.length > 1 ? 's' : ''} ${indexList(blocks)}`);
  if (attentions.length > 0) parts.push(`the attention of ${indexList(attentions)}`);
  if (mlps.length > 0) parts.push(`the MLP of ${indexList(mlps)}`);
  return `without ${parts.join(' and ')}`;
}

/** 'own weights, 12 KB'; of a variant whose weights are no longer stored: 'own weights, no longer stored'. */
export function ownWeightsText({ patchBytes, patchLost }: Pick<VariantInfo, 'patchBytes' | 'patchLost'>): string {
  return `own weights, ${patchLost ? 'no longer stored' : bytes(patchBytes)}`;
}

/** Short form for chart labels and table cells: 'none', '5, 6', '2, 5–7', '5; attn 3, 4; MLP 8'. */
export function planShort(plan: PruningPlan): string {
  if (isWhole(plan)) return 'none';
  const list = (indices: readonly number[]): string => indexList(indices).replace(' and ', ', ');
  const [blocks, attentions, mlps] = removedByKind(plan);
  return [
    list(blocks),
    attentions.length > 0 ? `attn ${list(attentions)}` : '',
    mlps.length > 0 ? `MLP ${list(mlps)}` : '',
  ]
    .filter((part) => part !== '')
    .join('; ');
}

/** What the plan removes, for a table cell: '2 blocks', '1 block, 2 attn', '–'. */
export function removedCount(plan: PruningPlan): string {
  const [blocks, attentions, mlps] = removedByKind(plan);
  const parts = [
    blocks.length > 0 ? plural(blocks.length, 'block') : '',
    attentions.length > 0 ? `${attentions.length} attn` : '',
    mlps.length > 0 ? `${mlps.length} MLP` : '',
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
  compare: 'the comparison of variants',
  generate: 'generating text',
  export: 'downloading a variant',
  calibrate: 'reading the calibration text',
  survey: 'measuring all criteria',
  tune: 'measuring kernels',
  memory: 'setting the GPU memory limit',
  profile: 'timing kernels',
  evolution: 'the evolutionary search',
  best: 'the search for the best variant',
};

/** A running task for use in a sentence: 'the benchmark', 'the criterion taylor', 'a script’s call of lab.survey'. */
export function taskName(task: Loss): string {
  if (task in taskNames) return taskNames[task as keyof typeof taskNames];
  if (task.startsWith('lab.')) return `a script’s call of ${task}`;
  const [kind, name] = task.split(':');
  if (kind === 'search') return `the search ${name}`;
  if (kind === 'text') return 'reading a text';
  return `the criterion ${name}`;
}

/** 'a', 'a and b', 'a, b and c'. */
export function enumerate(parts: readonly string[]): string {
  const last = parts.at(-1) ?? '';
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(', ')} and ${last}`;
}

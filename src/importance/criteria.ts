/** @file The criteria that this version can measure, in the order in which menus show them. */
import { LabError, throwIfAborted } from '../errors';
import type { CriterionRecord, Setting } from './criterion';
import { angular } from './depth/angular';
import { blockInfluence } from './depth/blockInfluence';
import { magnitude } from './depth/magnitude';
import { ppl } from './depth/ppl';
import { random } from './depth/random';
import { taylor } from './depth/taylor';
import { evopress } from './search/evopress';
import { searches } from './search/searches';
import type { Criterion } from './types';

export const criteria: readonly CriterionRecord[] = [ppl, taylor, blockInfluence, angular, magnitude, random];

/** The record of a criterion. @throws LabError 'bad-argument' for an unknown one. */
export function criterionOf(id: string): CriterionRecord {
  const found = criteria.find((record) => record.id === id);
  if (found) return found;
  const available = [...criteria, ...searches, evopress].map((record) => record.id).join(', ');
  throw new LabError('bad-argument', `criterion: expected one of ${available}, got '${id}'.`, 'Check the spelling.');
}

/** Scores by one criterion. @throws LabError 'not-available' | 'bad-argument' | 'no-webgpu' before anything is measured. */
export async function measureScores(record: CriterionRecord, setting: Setting): Promise<number[]> {
  if (!record.units.includes(setting.unit)) {
    throw new LabError(
      'not-available',
      `The criterion '${record.id}' scores ${record.units.join(', ')}; '${setting.unit}' is not in this version.`,
      `Use one of those units, or the criterion 'ppl'.`,
    );
  }
  checkRun(record.id, setting.span, setting.shape.layers.length);
  if (record.needs === 'gpu' && setting.probe === null) {
    throw needsGpu(record.id);
  }
  throwIfAborted(setting.signal, record.label);
  return record.score(setting);
}

/** Refuses runs of blocks that the criterion cannot score. @throws LabError 'bad-argument' */
export function checkRun(criterion: Criterion, span: number, layers: number): void {
  if (span !== 1 && criterion !== 'angular') {
    throw new LabError(
      'bad-argument',
      `window: '${criterion}' scores single units, got window ${span}.`,
      `Leave 'window' out.`,
    );
  }
  if (!Number.isInteger(span) || span < 1 || span > layers) {
    throw new LabError('bad-argument', `window: expected 1 to ${layers} blocks, got ${span}.`, 'Give a shorter run.');
  }
}

/** The refusal of a criterion, search or width method that runs on the GPU, where there is none; what runs without one. */
export function needsGpu(id: string, instead = "'magnitude' or 'random'"): LabError {
  return new LabError(
    'no-webgpu',
    `The criterion '${id}' runs on the GPU, and this browser offers none.`,
    `Use ${instead}, or open the page in a browser with WebGPU.`,
  );
}

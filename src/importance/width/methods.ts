/** @file The width methods that this version can measure. */
import { LabError, throwIfAborted } from '../../errors';
import { needsGpu } from '../criteria';
import { flap } from './flap';
import { llmPruner } from './llmPruner';
import { magnitudeSp } from './magnitudeSp';
import { randomWidth } from './random';
import { wandaSp } from './wandaSp';
import type { StructureScores, WidthRecord, WidthSetting } from './width';

export const widthMethods: readonly WidthRecord[] = [wandaSp, flap, llmPruner, magnitudeSp, randomWidth];

/** The record of a method. @throws LabError 'bad-argument' for an unknown one. */
export function widthMethodOf(id: string): WidthRecord {
  const found = widthMethods.find((record) => record.id === id);
  if (found) return found;
  const available = widthMethods.map((record) => record.id).join(', ');
  throw new LabError('bad-argument', `method: expected one of ${available}, got '${id}'.`, 'Check the spelling.');
}

/** Scores by one method. @throws LabError 'no-webgpu' before anything is measured. */
export async function measureWidth(record: WidthRecord, setting: WidthSetting): Promise<StructureScores> {
  if (record.needs === 'gpu' && setting.probe === null) throw needsGpu(record.id, "'magnitude-sp' or 'random'");
  throwIfAborted(setting.signal, record.label);
  return record.score(setting);
}

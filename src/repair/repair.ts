/** @file The repairs by their names. */
import type { RepairMethod } from '../pruning/repairMethods';
import { flapBias } from './flapBias';
import { pruneAndComp } from './pruneAndComp';
import { replaceMe } from './replaceMe';
import type { Repair, Setting } from './types';

const repairs: Readonly<Record<RepairMethod, (setting: Setting) => Promise<Repair>>> = {
  'flap-bias': flapBias,
  'prune-and-comp': pruneAndComp,
  'replace-me': replaceMe,
};

/** Measures what a method needs on the model before the cut, and makes its tensors or factors. */
export function repairBy(method: RepairMethod, setting: Setting): Promise<Repair> {
  return repairs[method](setting);
}

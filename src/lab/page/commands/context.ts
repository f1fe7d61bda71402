/** @file The context that the commands of every stage share. */
import type { Lab } from '../../contract/types';
import type { Browser } from '../browser';
import type { LabWorker } from '../laboratory';
import type { LabStore } from '../store';
import type { Saving } from './saving';
import type { Tasks } from './tasks';

export interface Context {
  readonly lab: Lab;
  readonly worker: LabWorker;
  readonly browser: Browser;
  readonly store: LabStore;
  readonly tasks: Tasks;
  readonly saving: Saving;
}

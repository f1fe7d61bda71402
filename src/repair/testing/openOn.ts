/** @file For tests: opens the models that repairs measure on an engine's device. */
import type { Engine } from '../../engine/engine';
import type { OpenModel } from '../types';

let opened = 0;

export function openOn(engine: Engine): OpenModel {
  return async (model, work, task) => {
    const view = await engine.open({ id: `repair ${opened++}`, ...model }, task);
    try {
      return await work(view);
    } finally {
      await view.close();
    }
  };
}

/** @file The figures of a model as label and text. Pure. */

import type { LayerShape } from '../../model/shape';
import type { ModelInfo } from '../../report/facts';
import { bytes, integer, quantity } from '../parts/format';

export interface Fact {
  label: string;
  value: string;
  /** A longer form, for the tooltip. */
  title?: string;
}

/** The value when all layers have the same one, else the range. */
function across(layers: readonly LayerShape[], value: (layer: LayerShape) => number): string {
  const values = layers.map(value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? integer(least) : `${integer(least)}–${integer(most)}`;
}

export function modelFacts(model: ModelInfo): Fact[] {
  const { shape } = model;
  const { layers } = shape;
  return [
    { label: 'Architecture', value: model.architecture.replace(/ForCausalLM$/, ''), title: model.architecture },
    { label: 'Blocks', value: integer(layers.length) },
    { label: 'Hidden', value: integer(shape.hidden) },
    {
      label: 'Heads / KV',
      value: `${across(layers, (l) => l.heads)} / ${across(layers, (l) => l.kvHeads)}`,
      title: `query heads / key and value heads, ${across(layers, (l) => l.headDim)} channels each`,
    },
    { label: 'MLP', value: across(layers, (l) => l.ffn), title: 'neurons in the MLP of each block' },
    { label: 'Vocabulary', value: integer(shape.vocab) },
    { label: 'Parameters', value: quantity(model.parameters), title: integer(model.parameters) },
    {
      label: 'Stored',
      value: `${bytes(model.storedBytes)} ${model.dtype}`,
      title: 'size and number format of the weights as stored in this browser',
    },
  ];
}

/** The source that reopens a stored model. Files from this device have no address, so their id is used instead. */
export function storedSource(model: ModelInfo): string {
  return model.id.startsWith('files:') ? model.id : model.source;
}

/** The first seven digits of a commit; other revisions unchanged. */
export function shortRevision(revision: string): string {
  return /^[0-9a-f]{40}$/.test(revision) ? revision.slice(0, 7) : revision;
}

/** A source with its commit shortened, for lists. */
export function shortSource(source: string): string {
  return source.replace(/@[0-9a-f]{40}$/, (commit) => commit.slice(0, 8));
}

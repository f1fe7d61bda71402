/** @file The figures of a model as label and text. Pure. */

import type { LayerShape } from '../../model/shape';
import type { ModelInfo } from '../../report/facts';
import { bytes, integer, quantity } from '../parts/format';

export interface Fact {
  label: string;
  value: string;
  /** Longer form, for the tooltip. */
  title?: string;
}

/** One value when all layers agree, else the range. */
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
    { label: 'MLP', value: across(layers, (l) => l.ffn), title: 'neurons of each block’s MLP' },
    { label: 'Vocabulary', value: integer(shape.vocab) },
    { label: 'Parameters', value: quantity(model.parameters), title: integer(model.parameters) },
    {
      label: 'Stored',
      value: `${bytes(model.storedBytes)} ${model.dtype}`,
      title: 'bytes in this browser, as in the checkpoint',
    },
  ];
}

/** What opens a stored model again: files from this device have no address, so their id stands for them. */
export function storedSource(model: ModelInfo): string {
  return model.id.startsWith('files:') ? model.id : model.source;
}

/** A commit in the seven digits that people know it by; other revisions as they are. */
export function shortRevision(revision: string): string {
  return /^[0-9a-f]{40}$/.test(revision) ? revision.slice(0, 7) : revision;
}

/** A source as a list shows it: with a short commit. */
export function shortSource(source: string): string {
  return source.replace(/@[0-9a-f]{40}$/, (commit) => commit.slice(0, 8));
}

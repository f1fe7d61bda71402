/**
 * @file Units: the one name for what can be removed from a model. Only this file writes `heads: 0` or `ffn: 0`.
 *
 * A unit's `layer` is an index into the layer list that it is used with: the base's, unless a function says otherwise.
 */
import { layerParameters } from './count';
import type { LayerShape, ModelShape } from './shape';

/** A whole block, or its attention or MLP. */
export interface DepthUnit {
  readonly kind: 'block' | 'attention' | 'mlp';
  readonly layer: number;
}

/** Part of an attention or an MLP. A 'kvGroup' is a key/value head with every query head that reads it. */
export interface WidthUnit {
  readonly kind: 'head' | 'kvGroup' | 'neuron';
  readonly layer: number;
  /** Query head, key/value head or neuron of the layer. */
  readonly index: number;
}

export type Unit = DepthUnit | WidthUnit;
export type DepthKind = DepthUnit['kind'];
export type WidthKind = WidthUnit['kind'];
export type UnitKind = Unit['kind'];
export type SubBlockKind = Exclude<DepthKind, 'block'>;

/** The attention or the MLP of a block. */
export interface SubBlock extends DepthUnit {
  readonly kind: SubBlockKind;
}

/** A block has both sub-blocks, in the order of the forward pass. */
export const subBlockKinds: readonly SubBlockKind[] = ['attention', 'mlp'];

const order: readonly UnitKind[] = ['block', 'attention', 'mlp', 'head', 'kvGroup', 'neuron'];

export function isWidthUnit(unit: Unit): unit is WidthUnit {
  return 'index' in unit;
}

const indexIn = (unit: Unit): number => (isWidthUnit(unit) ? unit.index : 0);

/** Sorts units by layer, then by kind (block, attention, MLP, heads, key/value groups, neurons), then by index. */
export function compareUnits(a: Unit, b: Unit): number {
  return a.layer - b.layer || order.indexOf(a.kind) - order.indexOf(b.kind) || indexIn(a) - indexIn(b);
}

export function sameUnit(a: Unit, b: Unit): boolean {
  return compareUnits(a, b) === 0;
}

/** 'block 3', 'attention 3', 'head 3.1': the text that `parseUnit` reads, and a key for maps. */
export function formatUnit(unit: Unit): string {
  return `${unit.kind} ${unit.layer}${isWidthUnit(unit) ? `.${unit.index}` : ''}`;
}

/** Reads a unit from the text that `formatUnit` writes; null for any other text. */
export function parseUnit(text: string): Unit | null {
  const match = /^(?:(block|attention|mlp) (\d+)|(head|kvGroup|neuron) (\d+)\.(\d+))$/.exec(text);
  if (match === null) return null;
  const [, depth, depthLayer, width, widthLayer, index] = match;
  const unit: Unit = depth
    ? { kind: depth as DepthKind, layer: Number(depthLayer) }
    : { kind: width as WidthKind, layer: Number(widthLayer), index: Number(index) };
  return Number.isSafeInteger(unit.layer) && Number.isSafeInteger(indexIn(unit)) ? unit : null;
}

/** How many units of a kind a layer has. */
export function unitsInLayer({ heads, kvHeads, ffn }: LayerShape, kind: UnitKind): number {
  switch (kind) {
    case 'block':
      return 1;
    case 'attention':
      return heads > 0 ? 1 : 0;
    case 'mlp':
      return ffn > 0 ? 1 : 0;
    case 'head':
      return heads;
    case 'kvGroup':
      return kvHeads;
    case 'neuron':
      return ffn;
    default:
      return kind satisfies never;
  }
}

/** Whether the layers have this unit. A checkpoint may lack a sub-block from the start. */
export function hasUnit(layers: readonly LayerShape[], unit: Unit): boolean {
  const layer = layers[unit.layer];
  const index = indexIn(unit);
  return layer !== undefined && Number.isInteger(index) && index >= 0 && index < unitsInLayer(layer, unit.kind);
}

/**
 * A block, attention or MLP in the results that the page stores and `lab` answers. `part` is the unit's kind.
 */
export interface UnitJson {
  /** Block of the base. */
  readonly layer: number;
  readonly part: DepthKind;
}

export const unitOfJson = ({ layer, part }: UnitJson): DepthUnit => ({ kind: part, layer });
export const unitToJson = ({ kind, layer }: DepthUnit): UnitJson => ({ layer, part: kind });

/** Every attention and MLP that the layers have, in the order of the forward pass. */
export function subBlocksOf(layers: readonly LayerShape[]): SubBlock[] {
  return layers.flatMap((_, layer) =>
    subBlockKinds.map((kind) => ({ kind, layer })).filter((unit) => hasUnit(layers, unit)),
  );
}

const withoutAttention = (layer: LayerShape): LayerShape => ({ ...layer, heads: 0, kvHeads: 0 });
const withoutMlp = (layer: LayerShape): LayerShape => ({ ...layer, ffn: 0 });

/** A layer without some of its heads. @throws RangeError if the key/value groups that stay would differ in size */
function withoutHeads(layer: LayerShape, units: readonly WidthUnit[]): LayerShape {
  const { heads, kvHeads } = layer;
  const perGroup = heads / kvHeads;
  const removed = new Set(
    units.flatMap(({ kind, index }) =>
      kind === 'head' ? [index] : Array.from({ length: perGroup }, (_, head) => index * perGroup + head),
    ),
  );
  const left = new Array<number>(kvHeads).fill(perGroup);
  for (const head of removed) left[Math.floor(head / perGroup)]! -= 1;
  const kept = left.filter((count) => count > 0);
  const [size = 0] = kept;
  if (kept.some((count) => count !== size)) {
    throw new RangeError(
      `heads of block ${layer.source}: every key/value head that stays needs equally many query heads, got ${kept.join(', ')}`,
    );
  }
  return kept.length === 0 ? withoutAttention(layer) : { ...layer, heads: kept.length * size, kvHeads: kept.length };
}

/** What remains of a layer; null if nothing does. */
function removeFromLayer(layer: LayerShape, units: readonly Unit[]): LayerShape | null {
  const kinds = new Set(units.map(({ kind }) => kind));
  if (kinds.has('block')) return null;
  let rest = layer;
  const heads = units.filter((unit): unit is WidthUnit => unit.kind === 'head' || unit.kind === 'kvGroup');
  const neurons = new Set(units.filter(({ kind }) => kind === 'neuron').map(indexIn));
  if (kinds.has('attention')) rest = withoutAttention(rest);
  else if (heads.length > 0) rest = withoutHeads(rest, heads);
  if (kinds.has('mlp') || neurons.size === layer.ffn) rest = withoutMlp(rest);
  else if (neurons.size > 0) rest = { ...rest, ffn: layer.ffn - neurons.size };
  return rest.heads === 0 && rest.ffn === 0 ? null : rest;
}

/**
 * The layers that remain. A layer that loses both its sub-blocks is removed. Heads and neurons change the sizes only; the
 * shape's `WeightSource` selects the rows and columns of the weights that stay.
 * @throws RangeError for a unit that the layers do not have
 */
export function removeFromLayers(layers: readonly LayerShape[], units: readonly Unit[]): LayerShape[] {
  const byLayer = new Map<number, Unit[]>();
  for (const unit of units) {
    const inList = unit.layer >= 0 && unit.layer < layers.length && Number.isInteger(unit.layer);
    const inLayer = !isWidthUnit(unit) || hasUnit(layers, unit);
    if (!inList || !inLayer) throw new RangeError(`the model has no ${formatUnit(unit)}`);
    const others = byLayer.get(unit.layer);
    if (others) others.push(unit);
    else byLayer.set(unit.layer, [unit]);
  }
  return layers.flatMap((layer, index) => {
    const removed = byLayer.get(index);
    const rest = removed ? removeFromLayer(layer, removed) : layer;
    return rest ? [rest] : [];
  });
}

/** The shape without the given units, which count in the shape's layer list. @throws RangeError for a unit that it does not have */
export function removeUnits(shape: ModelShape, units: readonly Unit[]): ModelShape {
  return { ...shape, layers: removeFromLayers(shape.layers, units) };
}

/** Parameters that removing a unit saves. */
export function unitParameters(shape: ModelShape, unit: Unit): number {
  const count = (layers: readonly LayerShape[]): number =>
    layers.reduce((sum, layer) => sum + layerParameters(shape, layer), 0);
  const alone = shape.layers.slice(unit.layer, unit.layer + 1);
  return count(alone) - count(removeFromLayers(alone, [{ ...unit, layer: 0 }]));
}

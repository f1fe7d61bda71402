/** @file What the page says of heads and MLPs: names, states, scores. Pure. */
import { type HeadKind, headKind, headUnits } from '../../lab/page/width';
import type { LayerShape } from '../../model/shape';
import { integer, ordinal, plural } from '../parts/format';
import { indexList } from '../parts/names';
import type { WidthRanked } from './widthRanked';

/** 'head', 'KV group'. */
export const kindName: Readonly<Record<HeadKind, string>> = { head: 'head', kvGroup: 'KV group' };

/** 'head 3 of block 5', 'KV group 1 of block 5'. */
export function unitTitle(layer: LayerShape, block: number, unit: number): string {
  return `${kindName[headKind(layer)]} ${unit} of block ${block}`;
}

/** '3:1', unit 1 of block 3. */
export const unitPlace = ({ block, unit }: { block: number; unit: number }): string => `${block}:${unit}`;

/** 'FLAP −0.41, lowest of 4 in its block, 7th lowest of 48 in the model'. */
export function headsText(ranked: WidthRanked | null, block: number, unit: number): string {
  if (!ranked) return 'not scored yet';
  const { order, label, formatHead } = ranked;
  const place = order.findIndex((each) => each.block === block && each.unit === unit);
  const found = order[place];
  if (!found) return `no ${label} score`;
  const inBlock = order.filter((each) => each.block === block);
  const rank = (at: number): string => (at === 0 ? 'lowest' : `${ordinal(at + 1)} lowest`);
  return `${label} ${formatHead(found.score)}, ${rank(inBlock.indexOf(found))} of ${inBlock.length} in its block, ${rank(place)} of ${integer(order.length)} in the model`;
}

/** 'query heads 4 and 5' of a KV group; null for a single head. */
export function groupText(layer: LayerShape, unit: number): string | null {
  return headKind(layer) === 'kvGroup' ? `query heads ${indexList(headUnits(layer)[unit] ?? [])}` : null;
}

/** '303 of 352 neurons stay'. */
export function neuronsText(kept: number, ffn: number): string {
  return kept === ffn ? `all ${integer(ffn)} neurons stay` : `${integer(kept)} of ${integer(ffn)} neurons stay`;
}

/** 'FLAP from −0.9 to 4.1, median −0.2'. */
export function profileText(ranked: WidthRanked | null, block: number): string {
  const profile = ranked?.profiles[block] ?? [];
  if (!ranked || profile.length === 0) return 'not scored yet';
  const at = (point: number): string => ranked.formatNeuron(profile[point]!);
  return `${ranked.label} from ${at(0)} to ${at(profile.length - 1)}, median ${at((profile.length - 1) >> 1)}`;
}

/** What stays of an attention: '3 of 4 KV groups stay', '6 of 8 heads stay'. */
export function headsLeftText(layer: LayerShape, kept: readonly number[]): string {
  const kind = headKind(layer);
  const units = headUnits(layer);
  const left = units.filter((unit) => unit.some((head) => kept.includes(head))).length;
  if (kept.length === layer.heads) return `all ${plural(units.length, kindName[kind])} stay`;
  const groups = `${left} of ${plural(units.length, kindName[kind])} stay`;
  const within = kind === 'kvGroup' && left > 0 && kept.length < left * (layer.heads / layer.kvHeads);
  return within ? `${groups}, with ${kept.length / left} of ${layer.heads / layer.kvHeads} query heads each` : groups;
}

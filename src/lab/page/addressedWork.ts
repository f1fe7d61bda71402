/**
 * @file What the page's address says of the work: `?model=demo&by=ppl&plan=2,5a,7-9`. A teacher's lesson is such a link. Whatever an
 * address says is checked: a bad part is ignored, with a sentence. Pure.
 *
 * - `model`: a source of `lab.load`. Alone, it leaves everything else as it was.
 * - `view`: `subblocks` or `width`; without it, whole blocks.
 * - `by`: the criterion, or the width method.
 * - `plus`, without a value: the + rule protects the first four and the last two blocks from proposals.
 * - `plan`: blocks; `5a` and `5m` are the attention and the MLP of block 5, `5h0.2-4` its query heads 0, 2, 3 and 4. `session`: a plan that
 *   the address does not hold, such as one of single neurons.
 *   Without it, nothing is removed.
 * - `width`: the rule that chooses heads and neurons, as `flap:0.2`, with more words behind further colons.
 */
import { LabError, readable, shown } from '../../errors';
import { scoreMethods, widthMethods } from '../../importance/methods';
import type { ModelShape } from '../../model/shape';
import type { DepthUnit } from '../../model/unit';
import { keptOf, type PruningPlan, planOfUnits, unitsOf } from '../../pruning/plan';
import { headRemovals, type WidthRule, widthMultiples } from '../../pruning/widthRule';
import type { ModelInfo } from '../../report/facts';
import type { LabState, UnitMode, WidthChoice } from './store';

/** What chooses heads and neurons: the part of a rule that can be asked for again. */
export type AskedWidth = Pick<WidthRule, 'method' | 'ratio'> &
  Pick<WidthChoice, 'asPublished' | 'sequential' | 'roundTo' | 'heads'>;

/** Query heads to remove from the attention of a block, ascending. */
export interface HeadCut {
  readonly kind: 'heads';
  readonly layer: number;
  readonly heads: readonly number[];
}

export type AddressedUnit = DepthUnit | HeadCut;

/** 'session': the plan is one that an address cannot hold. */
export type AddressedPlan = readonly AddressedUnit[] | AskedWidth | 'session';

export interface AddressedWork {
  readonly model: string;
  readonly view: UnitMode;
  /** Id of a method that the view has. */
  readonly by: string;
  /** The + rule protects blocks from proposals. */
  readonly plus?: true;
  readonly plan: AddressedPlan;
}

/** What an address says, as far as it is sound. */
export interface ReadWork {
  /** Null where the address names none; '' opens none. */
  readonly model: string | null;
  /** Null where the address names only the model. */
  readonly work: (Omit<AddressedWork, 'model' | 'by'> & { readonly by: string | null }) | null;
  /** A sentence for each part that is ignored. */
  readonly ignored: readonly string[];
}

/** The parts of an address that this file reads; others are left as they are. */
export const workKeys = ['model', 'view', 'by', 'plus', 'plan', 'width'] as const;

const mostCharacters = 2000;
const mostIndices = 10_000;
const views: Readonly<Record<string, UnitMode>> = { blocks: 'blocks', subblocks: 'subBlocks', width: 'width' };

/** The methods that colour and order the units of a view. */
export function methodsOf(view: UnitMode): readonly string[] {
  if (view === 'width') return widthMethods.map(({ id }) => id);
  const kind = view === 'blocks' ? 'block' : 'attention';
  return scoreMethods.filter(({ units }) => (units as readonly string[]).includes(kind)).map(({ id }) => id);
}

/** The work of the page's state; null where no model is open that an address may name. */
export function workOf(state: LabState): AddressedWork | null {
  const { model, plan, unitMode: view } = state;
  // Files of this device have no address.
  if (!model || !plan || model.id.startsWith('files:') || model.source.startsWith('files:')) return null;
  const by = { blocks: state.criterion, subBlocks: state.subBlockCriterion, width: state.widthMethod }[view];
  return { model: model.source, view, by, ...withPlus(state.plus), plan: addressedPlan(state, model.shape) };
}

const withPlus = (plus: boolean): Pick<AddressedWork, 'plus'> => (plus ? { plus } : {});

function addressedPlan(
  { plan, ownWeights }: Pick<LabState, 'plan' | 'ownWeights'>,
  { layers }: Pick<ModelShape, 'layers'>,
): AddressedPlan {
  if (!plan || ownWeights !== null) return 'session'; // repaired weights are in this browser only
  if (plan.rule) {
    const { method, ratio, asPublished = false, sequential = true, roundTo = null, heads = null } = plan.rule;
    return { method, ratio, asPublished, sequential, roundTo, heads };
  }
  if (plan.keepNeurons) return 'session';
  const cuts = layers.flatMap(({ heads }, layer): HeadCut[] => {
    const kept = keptOf(plan, 'keepHeads', layer);
    if (kept === null) return [];
    return [
      {
        kind: 'heads',
        layer,
        heads: Array.from({ length: heads }, (_, head) => head).filter((head) => !kept.includes(head)),
      },
    ];
  });
  return [...unitsOf(plan), ...cuts];
}

/**
 * The plan of a model that an address says, for `checkPlan`.
 * @throws LabError 'bad-plan' for heads that the model does not have
 */
export function planOfAddress(
  { id, shape: { layers } }: Pick<ModelInfo, 'id' | 'shape'>,
  units: readonly AddressedUnit[],
): PruningPlan {
  const kept = layers.map(({ heads }) => new Set(Array.from({ length: heads }, (_, head) => head)));
  for (const unit of units) {
    if (unit.kind !== 'heads') continue;
    const { layer, heads } = unit;
    const count = layers[layer]?.heads;
    if (count === undefined) throw wrongHeads(`expected a block from 0 to ${layers.length - 1}, got ${layer}.`);
    for (const head of heads) {
      if (!kept[layer]!.delete(head))
        throw wrongHeads(`expected query heads of block ${layer} below ${count}, each once, got ${head}.`);
    }
  }
  const keepHeads = kept.map((heads, layer) => (heads.size === layers[layer]!.heads ? null : [...heads]));
  const depth = units.filter((unit): unit is DepthUnit => unit.kind !== 'heads');
  return planOfUnits(id, depth, { keepHeads });
}

function wrongHeads(message: string): LabError {
  return new LabError('bad-plan', message, 'Take the link from the page in which it was made.');
}

/** Whether two plans of addresses are the same. */
export function sameAddressedPlan(a: AddressedPlan, b: AddressedPlan): boolean {
  return planText(a) === planText(b);
}

/** The parts of an address, without the question mark. */
export function formatWork({ model, view, by, plus, plan }: AddressedWork): string {
  const parts = [`model=${escaped(model)}`];
  if (view !== 'blocks') parts.push(`view=${view.toLowerCase()}`);
  parts.push(`by=${escaped(by)}`);
  if (plus) parts.push('plus');
  const text = planText(plan);
  if (text !== '') parts.push(text);
  return parts.join('&');
}

function planText(plan: AddressedPlan): string {
  if (plan === 'session') return 'plan=session';
  if ('method' in plan) {
    const { method, ratio, asPublished, sequential, roundTo, heads } = plan;
    const words = [method, `${ratio}`];
    if (asPublished) words.push('published');
    if (!sequential) words.push('parallel');
    if (roundTo) words.push(`round${roundTo}`);
    if (heads) words.push(heads);
    return `width=${words.join(':')}`;
  }
  return plan.length === 0 ? '' : `plan=${unitsText(plan)}`;
}

function unitsText(units: readonly AddressedUnit[]): string {
  const texts: string[] = [];
  let blocks: number[] = [];
  for (const unit of units) {
    if (unit.kind === 'block') {
      blocks.push(unit.layer);
      continue;
    }
    texts.push(...rangesOf(blocks));
    blocks = [];
    texts.push(
      unit.kind === 'heads'
        ? `${unit.layer}h${rangesOf(unit.heads).join('.')}`
        : `${unit.layer}${unit.kind === 'attention' ? 'a' : 'm'}`,
    );
  }
  return [...texts, ...rangesOf(blocks)].join(',');
}

/** Indices as texts, ranges where three and more follow each other: '0', '2-4'. */
function rangesOf(indices: readonly number[]): string[] {
  const texts: string[] = [];
  for (let at = 0; at < indices.length; ) {
    const first = indices[at]!;
    let run = 1;
    while (indices[at + run] === first + run) run += 1;
    if (run < 3) run = 1;
    texts.push(run === 1 ? `${first}` : `${first}-${first + run - 1}`);
    at += run;
  }
  return texts;
}

/** Reads like a source: slashes, colons and @ stay. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(/%2F/g, '/').replace(/%3A/g, ':').replace(/%40/g, '@');
}

/** Reads the query of an address. Never throws, whatever it is. */
export function readWork(search: string): ReadWork {
  const query = new URLSearchParams(search);
  const ignored: string[] = [];
  const tooLong = new Set<string>();
  const get = (key: (typeof workKeys)[number]): string | null => {
    const text = query.get(key);
    if (text === null || text.length <= mostCharacters) return text;
    tooLong.add(key);
    ignored.push(`${key} is ignored: expected at most ${mostCharacters} characters, got ${text.length}.`);
    return null;
  };
  const refuse = (key: string, expected: string, got: string): null => {
    ignored.push(`${key} is ignored: expected ${expected}, got ${shown(got)}.`);
    return null;
  };
  const model = get('model');
  const asked = { view: get('view'), by: get('by'), plus: get('plus'), plan: get('plan'), width: get('width') };
  if (tooLong.size === 0 && Object.values(asked).every((text) => text === null)) return { model, work: null, ignored };
  const view = asked.view === null ? 'blocks' : own(views, asked.view);
  if (view === undefined) refuse('view', Object.keys(views).join(', '), asked.view ?? '');
  const methods = methodsOf(view ?? 'blocks');
  const isKnown = asked.by === null || methods.includes(asked.by);
  const by = isKnown ? asked.by : refuse('by', methods.join(', '), asked.by ?? '');
  if (asked.plus) refuse('plus', 'no value', asked.plus);
  const plan = tooLong.has('plan') || tooLong.has('width') ? 'session' : readPlan(asked, refuse);
  const work = { view: view ?? 'blocks', by, ...withPlus(asked.plus === ''), plan };
  return { model, work, ignored };
}

type Refuse = (key: string, expected: string, got: string) => null;

/** A bad plan counts as none: a part of it would be another plan. */
function readPlan({ plan, width }: { plan: string | null; width: string | null }, refuse: Refuse): AddressedPlan {
  if (width !== null) {
    if (plan !== null) refuse('plan', 'no plan beside width', plan);
    return readWidth(width) ?? refuse('width', `a method and a share, such as 'flap:0.2'`, width) ?? 'session';
  }
  if (plan === null) return [];
  if (plan === 'session') return 'session';
  return readUnits(plan) ?? refuse('plan', `blocks, such as '2,5a,7-9'`, plan) ?? 'session';
}

function readUnits(text: string): AddressedUnit[] | null {
  const units: AddressedUnit[] = [];
  let count = 0;
  for (const part of text.split(',')) {
    const [, layer, kind, heads] = /^(\d{1,5})(?:([am])|h(.+))$/.exec(part) ?? [];
    const ranges = (heads?.split('.') ?? (layer === undefined ? [part] : [layer])).map(readRange);
    const indices = ranges.flatMap((range) => range ?? []);
    count += indices.length;
    if (ranges.includes(null) || count > mostIndices) return null;
    if (heads !== undefined) units.push({ kind: 'heads', layer: Number(layer), heads: indices });
    else units.push(...indices.map((index) => ({ kind: kindOf(kind), layer: index })));
  }
  return units;
}

const kindOf = (letter: string | undefined): DepthUnit['kind'] =>
  letter === 'a' ? 'attention' : letter === 'm' ? 'mlp' : 'block';

/** '3' or '3-5'. */
function readRange(text: string): number[] | null {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (!match || last < first || last >= mostIndices) return null;
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function readWidth(text: string): AskedWidth | null {
  const [method, ratioText = '', ...words] = text.split(':');
  const known = widthMethods.find(({ id }) => id === method);
  const ratio = Number(ratioText);
  if (!known || !/^0?\.\d{1,20}$/.test(ratioText) || !(ratio > 0 && ratio < 1) || words.length > 4) return null;
  let asked: AskedWidth = { method: known.id, ratio, asPublished: false, sequential: true, roundTo: null, heads: null };
  for (const word of words) {
    const roundTo = widthMultiples.find((multiple) => word === `round${multiple}`);
    const heads = headRemovals.find((each) => each === word);
    if (word === 'published') asked = { ...asked, asPublished: true };
    else if (word === 'parallel') asked = { ...asked, sequential: false };
    else if (roundTo !== undefined) asked = { ...asked, roundTo };
    else if (heads !== undefined) asked = { ...asked, heads };
    else return null;
  }
  return asked;
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Sentences of an address, fit to be shown. */
export function ignoredText(sentences: readonly string[]): string {
  return sentences.map((sentence) => readable(sentence, 400)).join(' ');
}

/**
 * @file What survives a reload, in IndexedDB: the record of the last session with each model, and what the page showed of it.
 * Weights are stored elsewhere.
 */
import { del, get, set } from 'idb-keyval';
import { type Criterion, criteria, type WidthId, widthMethods } from '../../importance/methods';
import { databaseStore } from '../../io/database';
import {
  check,
  dictionary,
  flag,
  isObject,
  kind,
  list,
  object,
  oneOf,
  orNull,
  prepared,
  type Schema,
} from '../../io/schema';
import { repairMethods } from '../../pruning/repairMethods';
import { headRemovals, widthMultiples } from '../../pruning/widthRule';
import { amount, count, criterion, deviceLabel, most, name } from '../../report/fields';
import { pruningPlan, writtenPlan } from '../../report/plans';
import { type ModelRecord, program, recordVersion, restore, writtenRecord } from '../../report/record';
import { perplexityResult } from '../../report/results';
import { type Scores, widthOptions } from '../../report/scores';
import { calibrationInfo } from '../../report/texts';
import type { Selection } from './selection';
import {
  type CalibrationChoice,
  type EvaluationChoice,
  initialState,
  type LabState,
  type LiveResult,
  type Repaired,
  type WidthChoice,
} from './store';
import { mostSavedNeurons, type PageWidthScores, savedWidthScores, toRecordScores } from './widthScores';

/** What the record holds of the page's state. */
type Measured = Pick<
  LabState,
  'calibration' | 'scores' | 'subBlockScores' | 'searches' | 'evolution' | 'searchScores' | 'comparison'
>;

/** Criteria whose scores are the steps or the set of a search. */
const searchIds: ReadonlySet<Criterion> = new Set(criteria.filter(({ kind }) => kind !== 'score').map(({ id }) => id));

const textChoice = { corpus: name, samples: count, seqLen: count, addBosToEvery: flag };
const selection: Schema<Selection> = object({ plan: pruningPlan, ownWeights: orNull(name) });
const live: Schema<LiveResult> = object({ selection, result: perplexityResult });
const mostSelections = 10_000;
/** Version 1 saved plans alone: all of them had the weights of the model. */
const selections: Schema<Selection[]> = list(
  prepared(
    (value) => (isObject(value) && 'removeBlocks' in value ? { plan: value, ownWeights: null } : value),
    selection,
  ),
  0,
  mostSelections,
);

const widthIds = widthMethods.map(({ id }) => id);
const widthMethod: Schema<WidthId> = oneOf(widthIds);
const widthChoice: Schema<WidthChoice> = object({
  ...{
    asPublished: flag,
    sequential: flag,
    roundTo: orNull(oneOf(widthMultiples)),
    heads: orNull(oneOf(headRemovals)),
    biases: flag,
  },
});
const repaired: Schema<Repaired> = object({
  ...{ variant: name, method: oneOf(repairMethods), before: orNull(perplexityResult) },
});
const neurons: Schema<Float64Array> = kind(
  'numbers in double precision',
  (value) => value instanceof Float64Array && value.length <= mostSavedNeurons,
);
const widthScores: Schema<PageWidthScores> = object(
  {
    method: widthMethod,
    headUnit: oneOf(['head', 'kvGroup']),
    heads: list(list(amount, 0, most.units), 0, most.units),
    ...{ neurons: list(neurons, 0, most.units), calibration: calibrationInfo },
    ...{ milliseconds: amount, peakGpuBytes: amount, device: deviceLabel },
  },
  { options: widthOptions },
);

/** What else of the page's state survives: what the user chose and edited, with the perplexities that the page shows. */
const shownFields = {
  calibrationChoice: object({}, { ...textChoice, seed: count }) as Schema<CalibrationChoice>,
  evaluationChoice: object({}, textChoice) as Schema<EvaluationChoice>,
  unitMode: oneOf(['blocks', 'subBlocks', 'width']),
  criterion,
  subBlockCriterion: criterion,
  widthMethod,
  widthChoice,
  repaired: orNull(repaired),
  widthScores: dictionary(widthMethod, widthScores, widthIds.length),
  plus: flag,
  plan: orNull(pruningPlan),
  ownWeights: orNull(name),
  past: selections,
  future: selections,
  base: orNull(perplexityResult),
  live: orNull(live),
} satisfies { [K in keyof LabState]?: Schema<LabState[K]> };

type Shown = Pick<LabState, keyof typeof shownFields>;
/** What survives, and the record of it as the laboratory takes it back. */
export type Saved = Measured & Shown & { readonly record: ModelRecord | null };

/** The numbers that survive a reload, one entry per model. */
export interface SavedSessions {
  /** Writes the entry of the open model. */
  save(state: LabState): Promise<void>;
  /** Reads the entry of the open model, where it was measured on the same bytes and adapter. */
  load(state: LabState): Promise<Saved | null>;
  drop(model: string): Promise<void>;
}

/** Numbers belong to a model's bytes and to an adapter. */
interface Entry {
  readonly version: 2;
  readonly fingerprint: string;
  /** As `writtenRecord` makes it. */
  readonly record: object;
  readonly shown: object;
}

const sessions = databaseStore('secateur-sessions', 'sessions');

/** Identity of what the numbers were measured on: model, revision, adapter and precision. */
export function fingerprint(state: LabState): string {
  const { model, device } = state;
  const precision = device?.halfPrecision ? ['f16'] : [];
  return JSON.stringify([model?.id, model?.revision, model?.parameters, device?.adapter ?? null, ...precision]);
}

/** Saves the session of the open model. @throws where the storage is full or missing */
export async function save(state: LabState): Promise<void> {
  const { model } = state;
  if (!model) return;
  const [record, shown] = [writtenRecord(recordOf({ ...state, model })), writtenShown(pick(state))];
  const entry: Entry = { version: 2, fingerprint: fingerprint(state), record, shown };
  await set(model.id, entry, sessions);
}

function pick(state: Shown): Shown {
  const fields = Object.keys(shownFields).map((field) => [field, state[field as keyof Shown]]);
  const picked = Object.fromEntries(fields) as unknown as Shown;
  return { ...picked, widthScores: savedWidthScores(state.widthScores, state.widthMethod) };
}

/** The fields with their plans in the short form. */
function writtenShown({ plan, past, future, live: number, ...rest }: Shown): object {
  const written = (each: Selection): object => ({ ...each, plan: writtenPlan(each.plan) });
  return {
    ...rest,
    plan: plan && writtenPlan(plan),
    past: past.map(written),
    future: future.map(written),
    live: number && { ...number, selection: written(number.selection) },
  };
}

/** What survives of a state. */
export function savedOf(state: LabState): Saved {
  const { model, calibration, scores, subBlockScores, searches, evolution, searchScores, comparison } = state;
  const measured = { calibration, scores, subBlockScores, searches, evolution, searchScores, comparison };
  const shown = pick(state);
  return { ...shown, ...measured, record: model && withWidthScores(recordOf({ ...state, model }), shown) };
}

/** The record with the scores of heads and neurons, which are saved beside it: a list of numbers takes longer to write. */
function withWidthScores(record: ModelRecord, { widthScores: scores }: Pick<Shown, 'widthScores'>): ModelRecord {
  return { ...record, widthScores: Object.values(scores).map(toRecordScores) };
}

function recordOf(state: LabState & Pick<ModelRecord, 'model'>): ModelRecord {
  const { model, device, calibration, scores, subBlockScores, searchScores, searches, evolution, comparison } = state;
  const subBlocks = Object.values(subBlockScores).flatMap((parts) => Object.values(parts));
  return {
    ...{ version: recordVersion, created: new Date().toISOString(), program, model, device, calibration },
    ...{
      scores: [...Object.values(scores), ...subBlocks, ...Object.values(searchScores)],
      widthScores: [],
      searches,
      evolution,
      comparison,
    },
  };
}

export function measuredOf({ calibration, scores, searches, evolution, comparison }: ModelRecord): Measured {
  const blocks: Partial<Record<Criterion, Scores>> = {};
  const subBlocks: LabState['subBlockScores'] = {};
  const searchScores: LabState['searchScores'] = {};
  for (const each of scores) {
    if (searchIds.has(each.criterion)) searchScores[each.criterion] = each;
    else if (each.unit === 'block') blocks[each.criterion] = each;
    else if (each.unit === 'attention' || each.unit === 'mlp') {
      subBlocks[each.criterion] = { ...subBlocks[each.criterion], [each.unit]: each };
    }
  }
  const measured = { calibration, scores: blocks, subBlockScores: subBlocks, searches, evolution, searchScores };
  return { ...measured, comparison: [...comparison] };
}

/** The saved session of the open model, if it was measured on the same bytes and adapter. @throws LabError 'bad-record' */
export async function loadSaved(state: LabState): Promise<Saved | null> {
  if (!state.model) return null;
  const entry: unknown = await get(state.model.id, sessions);
  if (!isObject(entry) || entry['fingerprint'] !== fingerprint(state)) return null;
  const { record, shown } = entry['version'] === 1 ? upgraded(entry['kept'], state) : entry;
  const restored = restore(record);
  if (restored.dropped !== null) console.warn(restored.dropped);
  const shownNow = shownOf(shown);
  return { ...measuredOf(restored.record), ...shownNow, record: withWidthScores(restored.record, shownNow) };
}

/** Every field as it was saved; where it does not fit, as a new session has it. */
function shownOf(saved: unknown): Shown {
  const fields = isObject(saved) ? saved : {};
  const one = ([field, schema]: [string, Schema]): [string, unknown] => {
    const verdict = check(schema, fields[field]);
    return [field, verdict.ok ? verdict.value : initialState[field as keyof Shown]];
  };
  return Object.fromEntries(Object.entries(shownFields).map(one)) as unknown as Shown;
}

/** Reads an entry of version 1: fields of the page state under their names of that time. */
function upgraded(kept: unknown, { model, device }: LabState): { record: unknown; shown: unknown } {
  const fields = isObject(kept) ? kept : {};
  const { calibration, searches, evolution, comparison } = fields;
  const inside = (value: unknown): unknown[] => (isObject(value) ? Object.values(value) : []);
  const subBlocks = inside(fields['subBlockScores'] ?? fields['halfScores']).flatMap(inside);
  const scores = [...inside(fields['scores']), ...subBlocks];
  return {
    record: { version: 1, created: '', model, device, calibration, scores, searches, evolution, comparison },
    shown: {
      ...fields,
      unitMode: fields['unitMode'] === 'halves' ? 'subBlocks' : fields['unitMode'],
      subBlockCriterion: fields['subBlockCriterion'] ?? fields['halfCriterion'],
      ownWeights: null,
    },
  };
}

/** Drops a model's session, with the model. */
export async function drop(id: string): Promise<void> {
  await del(id, sessions);
}

/** The sessions in this browser's IndexedDB. */
export const savedSessions: SavedSessions = { save, load: loadSaved, drop };

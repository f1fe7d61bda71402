/** @file Reads what version 1 wrote as a record of version 2. Whatever fits is taken; the rest is left out and counted. */
import { greedyMethods } from '../importance/methods';
import { check, isObject, type Schema } from '../io/schema';
import { deviceInfo } from './facts';
import { most } from './fields';
import { comparisonRow } from './results';
import { scores } from './scores';
import { evolutionResult, searchResult } from './searches';
import { calibrationInfo } from './texts';

type Fields = Readonly<Record<string, unknown>>;

/** A record of version 2 that is still to be checked as a whole, and what was left out, in one sentence. */
export function upgradeFrom1(old: Fields): { record: Fields; dropped: string | null } {
  const left = new Map<string, number>();
  const leave = (what: string): void => void left.set(what, (left.get(what) ?? 0) + 1);
  const read = <T>(what: string, schema: Schema<T>, value: unknown): T | null => {
    const verdict = check(schema, value);
    if (verdict.ok) return verdict.value;
    leave(what);
    return null;
  };
  const one = <T>(what: string, schema: Schema<T>, value: unknown): T | null =>
    value === undefined || value === null ? null : read(what, schema, value);
  const many = <T>(what: string, schema: Schema<T>, value: unknown, longest: number): unknown => {
    // The check of the whole record refuses what is no list, and a list that is too long.
    if (!Array.isArray(value) || value.length > longest) return value ?? [];
    return value.map((item) => read(what, schema, item)).filter((item) => item !== null);
  };
  const searches = isObject(old['searches']) ? old['searches'] : {};
  const found = greedyMethods.map(({ id }) => [id, one('search', searchResult, searches[id])] as const);
  const record = {
    version: 2,
    created: typeof old['created'] === 'string' ? old['created'] : '',
    program: 'Secateur',
    model: withNotes(old['model']),
    device: one('device', deviceInfo, old['device']),
    calibration: one('calibration', calibrationInfo, old['calibration']),
    scores: many('scores', scores, old['scores'], most.scores),
    searches: Object.fromEntries(found.filter(([, result]) => result !== null)),
    evolution: one('search', evolutionResult, old['evolution']),
    comparison: many('variant', comparisonRow, old['comparison'], most.rows),
  };
  return { record, dropped: sentence(left) };
}

function sentence(left: ReadonlyMap<string, number>): string | null {
  if (left.size === 0) return null;
  const parts = [...left].map(([what, times]) => `${times} × ${what}`);
  return `An earlier version wrote this record. This version cannot read all of it and leaves out: ${parts.join(', ')}.`;
}

/** The first reports wrote no notes of how the model was opened. */
const withNotes = (model: unknown): unknown => (isObject(model) ? { notes: [], ...model } : model);

/** @file Schemas that the parts of a record share, and the bounds beyond which no model or session makes sense of them. */
import type { DeviceLabel } from '../benchmark/deviceLabel';
import type { Criterion, WidthId } from '../importance/methods';
import type { Barriers, SearchUnit } from '../importance/types';
import { flag, isObject, kind, mapped, object, oneOf, prepared, type Schema, text, whole } from '../io/schema';

/** Longest list or text that a record holds. */
export const most = {
  /** Indices of units: at most two sub-blocks for each of 1024 blocks, with room. */
  units: 10_000,
  /** Neurons of one MLP. */
  neurons: 1_000_000,
  /** Width methods with their options. */
  widths: 1000,
  generations: 1_000_001,
  stages: 100,
  scores: 10_000,
  /** The base, and as many variants as the laboratory lists. */
  rows: 1001,
  latencies: 10_000,
  /** Tasks that one variant was asked. */
  tasks: 100,
  /** Questions of one task. */
  questions: 1_000_000,
  /** Steps of a recipe. */
  steps: 1000,
  /** Tensors that a patch replaces. */
  tensors: 20_000,
  notes: 1000,
  name: 1000,
  source: 10_000,
  note: 10_000,
} as const;

export const name = text(most.name);
export const count = whole(0, Number.MAX_SAFE_INTEGER);

const written: Readonly<Record<string, number>> = {
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  NaN: Number.NaN,
};

const isNumber = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && Object.hasOwn(written, value));
const read = (value: unknown): number => (typeof value === 'string' ? (written[value] ?? Number.NaN) : Number(value));

/** Any number. JSON has no word for Infinity and NaN: `recordJson` writes them as strings. */
export const amount: Schema<number> = mapped(
  kind<unknown>("a number, 'Infinity', '-Infinity' or 'NaN'", isNumber),
  read,
);

/** A number, or the null that `JSON.stringify` writes for Infinity and NaN. */
export const amountOrNull: Schema<number | null> = mapped(
  kind<unknown>("a number, 'Infinity', '-Infinity', 'NaN' or null", (value) => value === null || isNumber(value)),
  (value) => (value === null ? null : read(value)),
);

/** A list of numbers, NaN where `JSON.stringify` wrote null. Looked at in one loop: lists may have a number per neuron. */
export function amounts(longest: number): Schema<number[]> {
  const fits = (value: unknown): boolean =>
    Array.isArray(value) && value.length <= longest && value.every((item) => item === null || isNumber(item));
  const list = kind<unknown[]>(`a list of at most ${longest} numbers`, fits);
  return mapped(list, (values) => values.map((value) => (typeof value === 'number' ? value : read(value ?? 'NaN'))));
}

/** A number that is Infinity at worst: `JSON.stringify` writes that as null. */
export const amountOrInfinity: Schema<number> = mapped(amountOrNull, (value) => value ?? Number.POSITIVE_INFINITY);

export const deviceLabel: Schema<DeviceLabel> = object({
  adapter: name,
  software: flag,
  runtime: name,
});

function isId(value: unknown): boolean {
  return typeof value === 'string' && /^[a-z][a-z0-9-]{0,63}$/.test(value);
}

/** Criteria that this version does not know are none of a record's faults: the page shows those that it knows. */
export const criterion: Schema<Criterion> = kind("a criterion's id", isId);

/** Width methods that this version does not know are read too, as criteria are. */
export const widthMethod: Schema<WidthId> = kind("a width method's id", isId);

export const searchUnit: Schema<SearchUnit> = oneOf(['block', 'attention', 'mlp', 'half']);
export const barriers: Schema<Barriers> = object({ first: count, last: count });

/**
 * Plain data whose fields other rooms define and check: a shape, a recipe. Bounded in depth, in values and in the length of
 * its texts; keys that reach a prototype are refused.
 */
export function plainData<T>(expected: string, largest = 1_000_000): Schema<T> {
  return kind(`${expected} (plain data of at most ${largest} values)`, (value) => {
    let left = largest;
    const fits = (part: unknown, depth: number): boolean => {
      left -= 1;
      if (left < 0 || depth > 8) return false;
      if (part === null || typeof part === 'boolean' || typeof part === 'number') return true;
      if (typeof part === 'string') return part.length <= most.source;
      if (Array.isArray(part)) return part.length <= left && part.every((item) => fits(item, depth + 1));
      return isObject(part) && Object.entries(part).every(([key, item]) => isKey(key) && fitsOrAbsent(item, depth));
    };
    const fitsOrAbsent = (item: unknown, depth: number): boolean => item === undefined || fits(item, depth + 1);
    return isObject(value) && fits(value, 0);
  });
}

const isKey = (key: string): boolean => key.length <= 200 && !['__proto__', 'prototype', 'constructor'].includes(key);

/** A schema that also reads a field under the name that earlier versions gave it. */
export const renamed = <T>(before: string, now: string, schema: Schema<T>): Schema<T> =>
  prepared((value) => {
    if (!isObject(value) || Object.hasOwn(value, now) || !Object.hasOwn(value, before)) return value;
    return { ...value, [now]: value[before] };
  }, schema);

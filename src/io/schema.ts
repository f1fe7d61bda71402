/**
 * @file Building blocks for schemas of data that comes from outside. The message of a schema says what it expects; a list's
 * length is checked before its items, and an object is read only at the keys that its schema names.
 */
import * as v from 'valibot';

/** Accepts anything, refuses what does not fit, and outputs a T. */
export type Schema<T = unknown> = v.GenericSchema<unknown, T>;
export type Output<S> = S extends Schema<infer T> ? T : never;

type Fields = Readonly<Record<string, Schema>>;
type Required<F extends Fields> = { [K in keyof F]: Output<F[K]> };
type Optional<F extends Fields> = { [K in keyof F]?: Output<F[K]> };

export const kind = <T>(expected: string, fits: (value: unknown) => boolean): Schema<T> => v.custom<T>(fits, expected);

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const whole = (from: number, to: number): Schema<number> =>
  kind(
    `a whole number from ${from} to ${to}`,
    (value) => Number.isInteger(value) && (value as number) >= from && (value as number) <= to,
  );

export const real = (from: number, to: number): Schema<number> =>
  kind(`a number from ${from} to ${to}`, (value) => typeof value === 'number' && value >= from && value <= to);

export const text = (longest: number): Schema<string> =>
  kind(`a string of at most ${longest} characters`, (value) => typeof value === 'string' && value.length <= longest);

export const oneOf = <const T extends string | boolean | number>(names: readonly T[]): Schema<T> =>
  kind(`one of ${names.map((name) => (typeof name === 'string' ? `'${name}'` : name)).join(', ')}`, (value) =>
    names.some((name) => name === value),
  );

export const flag: Schema<boolean> = kind('true or false', (value) => typeof value === 'boolean');

/** The schema's value, or null. */
export const orNull = <T>(schema: Schema<T>): Schema<T | null> => v.nullable(schema);

export function list<T>(item: Schema<T>, from: number, to: number): Schema<T[]> {
  const expected = `a list of ${from} to ${to}`;
  const fits = (value: unknown): boolean => Array.isArray(value) && value.length >= from && value.length <= to;
  return v.pipe(kind<unknown[]>(expected, fits), v.array(item, expected));
}

/** An object with these fields. Other fields are left out, and so is an optional field that is undefined. */
export function object<R extends Fields, O extends Fields = Record<never, never>>(
  required: R,
  optional?: O,
): Schema<Required<R> & Optional<O>> {
  const own = (value: Readonly<Record<string, unknown>>, key: string): unknown =>
    Object.hasOwn(value, key) ? value[key] : undefined;
  const pick = (value: Readonly<Record<string, unknown>>) => ({
    ...Object.fromEntries(Object.keys(required).map((key) => [key, own(value, key)])),
    ...Object.fromEntries(
      Object.keys(optional ?? {}).flatMap((key) => {
        const field = own(value, key);
        return field === undefined ? [] : [[key, field]];
      }),
    ),
  });
  const maybe = Object.fromEntries(Object.entries(optional ?? {}).map(([key, item]) => [key, v.exactOptional(item)]));
  return v.pipe(
    kind<Readonly<Record<string, unknown>>>('an object', isObject),
    v.transform(pick),
    v.object({ ...required, ...maybe }),
  ) as unknown as Schema<Required<R> & Optional<O>>;
}

/** An object whose keys are data: at most `most` of them, each as `key` expects, with a value each. */
export function dictionary<K extends string, T>(
  key: Schema<K>,
  item: Schema<T>,
  most: number,
): Schema<Partial<Record<K, T>>> {
  const expected = `an object of at most ${most} fields`;
  const fits = (value: unknown): boolean => isObject(value) && Object.keys(value).length <= most;
  const present = (value: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
  return v.pipe(
    kind<Readonly<Record<string, unknown>>>(expected, fits),
    v.transform(present),
    v.record(key as v.GenericSchema<string, K>, item),
  ) as unknown as Schema<Partial<Record<K, T>>>;
}

/** Objects of several kinds: the field `kind` says which schema reads one. */
export function byKind<T>(kinds: Readonly<Record<string, Schema<T>>>): Schema<T> {
  const names = Object.keys(kinds);
  const head = object({ kind: oneOf(names) });
  return v.pipe(
    v.unknown(),
    v.rawCheck(({ dataset, addIssue }) => {
      const verdict = check(head, dataset.value);
      if (!verdict.ok) addIssue({ message: `a ${names.join(' or ')} (kind: ${verdict.expected})`, input: verdict.got });
    }),
    v.lazy((value) => kinds[(value as { kind: string }).kind] ?? v.never()),
  ) as unknown as Schema<T>;
}

/** The schema's output changed by a function. */
export const mapped = <T, U>(schema: Schema<T>, change: (value: T) => U): Schema<U> =>
  v.pipe(schema, v.transform(change)) as unknown as Schema<U>;

/** A schema that sees the value as a function changes it. */
export const prepared = <T>(change: (value: unknown) => unknown, schema: Schema<T>): Schema<T> =>
  v.pipe(v.unknown(), v.transform(change), schema) as unknown as Schema<T>;

/** What a schema says of a value: its output, or the first thing that does not fit. `where` is '' for the value itself. */
export type Verdict<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly where: string; readonly expected: string; readonly got: unknown };

export function check<T>(schema: Schema<T>, value: unknown): Verdict<T> {
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (parsed.success) return { ok: true, value: parsed.output };
  const [issue] = parsed.issues;
  return { ok: false, where: v.getDotPath(issue) ?? '', expected: issue.message, got: issue.input };
}

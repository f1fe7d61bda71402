/**
 * @file How values become nested arrays, and come back. A codec says both directions in one place; what it reads is untrusted. Only
 * whole numbers from 0, texts and lists are written, so that 0 is free to say that a field is absent.
 */
import type { ModelShape } from '../../model/shape';
import { readFigures, writeFigures } from './figures';
import { isAscending, readGaps, readIndices, writeGaps, writeIndices } from './sets';

export type Json = number | string | readonly Json[];

export interface Codec<T> {
  write(value: T, to: Writer): Json;
  /** @throws Misfit */
  read(json: Json, from: Reader): T;
}

/** What a link's content does not fit. */
export class Misfit extends Error {}

/** Most values that the content of a link may stand for: tables let a short text say much. */
const mostValues = 2_000_000;

/** What plans and numbers are read against. */
export interface ModelPlace {
  readonly id: string;
  readonly shape: ModelShape;
}

/** A table's entry as it was read, and how many values it stands for. */
interface Entry {
  readonly value: unknown;
  readonly cost: number;
}

/** Collects the entries of tables while a record is written. */
export class Writer {
  readonly model: ModelPlace;
  readonly #tables = new Map<object, Map<string, number>>();

  constructor(model: ModelPlace) {
    this.model = model;
  }

  /** The place of an entry in its table: equal ones are written once. */
  place(table: object, entry: Json): number {
    const rows = this.#tables.get(table) ?? new Map<string, number>();
    this.#tables.set(table, rows);
    const key = JSON.stringify(entry);
    const known = rows.get(key) ?? rows.size;
    rows.set(key, known);
    return known;
  }

  rows(table: object): Json[] {
    return [...(this.#tables.get(table)?.keys() ?? [])].map((key) => JSON.parse(key) as Json);
  }
}

/** Where reading stands: the tables so far, and how much more the content may say. */
export class Reader {
  model: ModelPlace;
  readonly #tables = new Map<object, readonly Entry[]>();
  readonly #path: string[] = [];
  #left = mostValues;

  constructor() {
    this.model = { id: '', shape: { ...noShape, layers: [] } };
  }

  /** Counts values before memory is taken for them. */
  spend(values: number): void {
    this.#left -= values;
    if (this.#left < 0) throw this.misfit(`at most ${mostValues} values`);
  }

  misfit(expected: string): Misfit {
    const place = this.#path.length > 0 ? `The link's ${this.#path.join('.')}` : 'The link';
    return new Misfit(`${place}: expected ${expected}, got something else.`);
  }

  inside<T>(place: string | number, read: () => T): T {
    this.#path.push(String(place));
    const value = read();
    this.#path.pop();
    return value;
  }

  list(json: Json, longest: number): readonly Json[] {
    if (typeof json !== 'object' || json.length > longest) throw this.misfit(`a list of at most ${longest}`);
    this.spend(json.length);
    return json;
  }

  text(json: Json): string {
    if (typeof json !== 'string') throw this.misfit('a text');
    return json;
  }

  whole(json: Json): number {
    if (typeof json === 'number' && Number.isSafeInteger(json) && json >= 0) return json;
    throw this.misfit('a whole number');
  }

  readTable(table: object, item: Codec<unknown>, json: Json): void {
    const entries = this.list(json, mostEntries).map((each, index) => {
      const before = this.#left;
      const value = this.inside(index, () => item.read(each, this));
      return { value, cost: before - this.#left };
    });
    this.#tables.set(table, entries);
  }

  entry(table: object, json: Json): unknown {
    const entry = this.#tables.get(table)?.[this.whole(json)];
    if (entry === undefined) throw this.misfit('an entry of a table before it');
    this.spend(entry.cost + 1);
    return entry.value;
  }
}

const noShape: Omit<ModelShape, 'layers'> = {
  ...{ family: '', vocab: 1, hidden: 1, normEps: 0, ropeTheta: 1, maxPositions: 1, tiedHead: true },
};
const mostEntries = 100_000;

export const whole: Codec<number> = {
  write: (value) => value,
  read: (json, from) => from.whole(json),
};

export const flag: Codec<boolean> = {
  write: (value) => (value ? 1 : 0),
  read: (json, from) => from.whole(json) !== 0,
};

export const text: Codec<string> = {
  write: (value) => value,
  read: (json, from) => from.text(json),
};

/** One of the names that a version fixes, by its index; any other name as it is. */
export function choice<T extends string>(names: readonly T[]): Codec<T> {
  return {
    write: (value) => (names.includes(value) ? names.indexOf(value) : value),
    read(json, from) {
      // `restore` refuses names that it does not know.
      const name = typeof json === 'number' ? names[json] : (from.text(json) as T);
      if (name === undefined) throw from.misfit(`an index below ${names.length}`);
      return name;
    },
  };
}

/** A text that mostly begins in the same way: the rest of it, or '=' and all of it. */
export function beginning(usual: string): Codec<string> {
  return {
    write: (value) =>
      value.startsWith(usual) && !value.startsWith('=', usual.length) ? value.slice(usual.length) : `=${value}`,
    read(json, from) {
      const rest = from.text(json);
      return rest.startsWith('=') ? rest.slice(1) : `${usual}${rest}`;
    },
  };
}

function optionalAs<T, A>(codec: Codec<T>, absent: A): Codec<T | A> {
  return {
    write(value, to) {
      if (value === absent) return 0;
      const json = codec.write(value as T, to);
      return typeof json === 'number' ? json + 1 : json;
    },
    read(json, from) {
      if (json === 0) return absent;
      return codec.read(typeof json === 'number' ? json - 1 : json, from);
    },
  };
}

/** A field that may be absent: 0 says so. */
export const optional = <T>(codec: Codec<T>): Codec<T | undefined> => optionalAs(codec, undefined);
export const orNull = <T>(codec: Codec<T>): Codec<T | null> => optionalAs(codec, null);

/** `true`, or absent. */
export const mark: Codec<true | undefined> = {
  write: (value) => (value ? 1 : 0),
  read: (json, from) => (from.whole(json) === 0 ? undefined : true),
};

export function list<T>(item: Codec<T>, longest: number): Codec<T[]> {
  return {
    write: (values, to) => values.map((value) => item.write(value, to)),
    read: (json, from) => from.list(json, longest).map((each, at) => from.inside(at, () => item.read(each, from))),
  };
}

export type Places<T> = { readonly [K in keyof Required<T>]: Codec<K extends keyof T ? T[K] : never> };

/** The fields of an object in the order of their places. Places at the end that say 0 are left away. */
export function tuple<T extends object>(places: Places<T>): Codec<T> {
  const codecs = Object.entries(places) as [keyof T & string, Codec<unknown>][];
  return {
    write: (value, to) => trimmed(codecs.map(([key, codec]) => codec.write(value[key], to))),
    read(json, from) {
      const items = from.list(json, codecs.length);
      const fields = codecs.map(([key, codec], at): [string, unknown] => [
        key,
        from.inside(key, () => codec.read(items[at] ?? 0, from)),
      ]);
      return Object.fromEntries(fields.filter(([, value]) => value !== undefined)) as T;
    },
  };
}

export function trimmed(items: readonly Json[]): Json[] {
  return items.slice(0, items.findLastIndex((item) => item !== 0) + 1);
}

/** Values of a table: each is written once, and told by its index. */
export interface Shared<T> extends Codec<T> {
  readonly item: Codec<T>;
}

export function shared<T>(item: Codec<T>): Shared<T> {
  const table: Shared<T> = {
    item,
    write: (value, to) => to.place(table, item.write(value, to)),
    read: (json, from) => from.entry(table, json) as T,
  };
  return table;
}

/** A codec of what another one reads, changed on the way. */
export function mapped<T, U>(
  codec: Codec<T>,
  out: (value: U, to: Writer) => T,
  back: (value: T, from: Reader) => U,
): Codec<U> {
  return {
    write: (value, to) => codec.write(out(value, to), to),
    read: (json, from) => back(codec.read(json, from), from),
  };
}

/** Numbers in one text. @param digits significant ones that are kept; undefined for all */
export function figures(digits: number | undefined, most: number): Codec<number[]> {
  return {
    write: (values) => writeFigures(values, digits),
    read(json, from) {
      const values = readFigures(from.text(json), most, digits);
      if (values === null) throw from.misfit(`at most ${most} numbers`);
      from.spend(values.length);
      return values;
    },
  };
}

/** A column of numbers, one for each of `count` rows. */
export function column(text: Codec<number[]>, json: Json, count: number, from: Reader): number[] {
  const values = text.read(json, from);
  if (values.length !== count) throw from.misfit(`${count} numbers`);
  return values;
}

/** One number as text. */
export function figure(digits?: number): Codec<number> {
  const one = figures(digits, 1);
  return {
    write: (value, to) => one.write([value], to),
    read(json, from) {
      const [value] = one.read(json, from);
      if (value === undefined) throw from.misfit('a number');
      return value;
    },
  };
}

/** The number that a codec of so many digits gives back. */
export function rounded(value: number, digits: number): number {
  return readFigures(writeFigures([value], digits), 1, digits)?.[0] ?? Number.NaN;
}

/** Ascending indices by their gaps; others one by one. */
export const ascending: Codec<readonly number[]> = {
  write: (indices) => (isAscending(indices) ? writeGaps(indices) : indices),
  read: (json, from) => indicesOf(json, from, readGaps),
};

/** Indices in any order: a character each, where they are small. */
export const indices: Codec<number[]> = {
  write: (values) => writeIndices(values) ?? values,
  read: (json, from) => indicesOf(json, from, readIndices),
};

const mostIndices = 1_000_000;

function indicesOf(json: Json, from: Reader, read: (text: string) => number[] | null): number[] {
  if (typeof json === 'object') return from.list(json, mostIndices).map((each) => from.whole(each));
  const values = read(from.text(json));
  if (values === null) throw from.misfit('indices');
  from.spend(values.length);
  return values;
}

/** @file Values of rows in groups: those that were measured in one way stand together, a column for each number. */
import { ascending, type Json, type Reader, type Writer } from './codec';

/** What was measured of a row, by the row's place. */
export interface Placed<T> {
  readonly row: number;
  readonly value: T;
}

/** Values in groups of equal keys, in the order in which they come. A row has one value in a group. */
export function groupsOf<T>(values: readonly Placed<T>[], keyOf: (value: T) => string): Placed<T>[][] {
  const groups = new Map<string, Placed<T>[]>();
  const seen = new Map<string, number>();
  for (const value of values) {
    const key = keyOf(value.value);
    const times = seen.get(`${key} ${value.row}`) ?? 0;
    seen.set(`${key} ${value.row}`, times + 1);
    const group = groups.get(`${key} ${times}`) ?? [];
    groups.set(`${key} ${times}`, group);
    group.push(value);
  }
  return [...groups.values()];
}

/** The places of a group's rows. */
export const placesOf = (group: readonly Placed<unknown>[], to: Writer): Json =>
  ascending.write(
    group.map(({ row }) => row),
    to,
  );

/** The places of a group of at most so many rows. @throws Misfit */
export function readPlaces(json: Json, rows: number, from: Reader): readonly number[] {
  const places = ascending.read(json, from);
  if (places.some((place) => place >= rows)) throw from.misfit(`places below ${rows}`);
  return places;
}

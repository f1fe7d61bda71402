/**
 * @file A record as the text of a link, version 1: nested arrays whose places this version fixes. Equal things stand in tables. A
 * later version adds places at the end, or gets a number of its own: links are kept for years.
 */
import { most } from '../fields';
import { type ModelRecord, recordVersion } from '../record';
import {
  beginning,
  type Codec,
  type Json,
  list,
  Misfit,
  optional,
  orNull,
  Reader,
  type Shared,
  text,
  trimmed,
  Writer,
} from './codec';
import { device, model } from './model';
import { planTables } from './plans';
import { comparison } from './rows';
import { scores, widthScores } from './scores';
import { readSearches, writeSearches } from './searches';
import { calibration, evaluation, label, origin } from './texts';

/** In the order in which they are read: an entry names entries of tables before its own. */
const tables: readonly Shared<never>[] = [
  ...[origin, calibration, evaluation, label, planTables.tensors, planTables.plan],
] as unknown as readonly Shared<never>[];

/** Seconds since 1970, where the text is a time; else the text. */
const moment: Codec<string> = {
  write(value) {
    const seconds = Math.floor(Date.parse(value) / 1000);
    return seconds >= 0 ? seconds : value;
  },
  read(json, from) {
    if (typeof json !== 'number') return from.text(json);
    const seconds = from.whole(json);
    if (seconds > 8.64e12) throw from.misfit('a time');
    return new Date(1000 * seconds).toISOString();
  },
};

const program = beginning('Secateur ');
const words = optional(text);
const scoreList = list(scores, most.scores);
const widthList = list(widthScores, most.widths);
const calibrationPlace = orNull(calibration);
const devicePlace = orNull(device);

/** The text of a record. */
export function writeRecord(record: ModelRecord): string {
  const to = new Writer(record.model);
  const head = [moment.write(record.created, to), program.write(record.program, to), model.write(record.model, to)];
  const body = [
    devicePlace.write(record.device, to),
    calibrationPlace.write(record.calibration, to),
    scoreList.write([...record.scores], to),
    widthList.write([...record.widthScores], to),
    writeSearches(record, record.scores, to),
    comparison.write([...record.comparison], to),
    words.write(record.title, to),
    words.write(record.notes, to),
  ];
  const filled = tables.map((table) => to.rows(table));
  return JSON.stringify([...head, filled, ...trimmed(body)]);
}

/** The record of a text's JSON, still to be checked as any record. @throws Misfit */
export function readRecord(json: unknown): ModelRecord {
  const from = new Reader();
  const items = from.list(jsonOf(json), 12);
  const at = (place: number): Json => items[place] ?? 0;
  const created = from.inside('created', () => moment.read(at(0), from));
  const by = from.inside('program', () => program.read(at(1), from));
  const info = from.inside('model', () => model.read(at(2), from));
  from.model = info;
  from.list(at(3), tables.length).forEach((rows, index) => {
    from.inside(`tables.${index}`, () => from.readTable(tables[index]!, tables[index]!.item, rows));
  });
  const found = from.inside('scores', () => scoreList.read(at(6), from));
  const title = from.inside('title', () => words.read(at(10), from));
  const notes = from.inside('notes', () => words.read(at(11), from));
  return {
    ...{ version: recordVersion, created, program: by, model: info },
    device: from.inside('device', () => devicePlace.read(at(4), from)),
    calibration: from.inside('calibration', () => calibrationPlace.read(at(5), from)),
    scores: found,
    widthScores: from.inside('widthScores', () => widthList.read(at(7), from)),
    ...from.inside('searches', () => readSearches(at(8), found, from)),
    comparison: from.inside('comparison', () => comparison.read(at(9), from)),
    ...(title === undefined ? {} : { title }),
    ...(notes === undefined ? {} : { notes }),
  };
}

/** JSON without null, flags and objects: only these are written. */
function jsonOf(value: unknown): Json {
  if (typeof value === 'number' || typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(jsonOf);
  throw new Misfit('The link: expected lists, texts and numbers, got something else.');
}

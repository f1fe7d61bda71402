/** @file Reading config.json: what comes from outside, checked field by field, and the two ways to refuse it. */
import * as v from 'valibot';
import { LabError } from '../errors';

export type Fields = Readonly<Record<string, unknown>>;

/** A size in [1, max]. The bounds lie far above any model that exists: they stop absurd allocations, not models. */
export const size = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));

/** A number in (above, max]. */
export const numberAbove = (above: number, max: number) => v.pipe(v.number(), v.gtValue(above), v.maxValue(max));

/** A factor, a scale or a cap in [1e-6, 1e6]: beyond, float32 has no number for what comes of it. */
export const scale = v.pipe(v.number(), v.minValue(1e-6), v.maxValue(1e6));

/** Fields by a schema; `inside` names the record they come from in a message. Throws 'bad-config'. */
export function parseFields<Schema extends v.GenericSchema>(
  schema: Schema,
  fields: Fields,
  inside = '',
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, fields);
  if (!parsed.success) throw badConfig(`${inside}${issueText(parsed.issues[0])}`);
  return parsed.output;
}

/** The value as an object with fields; null for anything else. */
export function record(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** The field with its value; no field for undefined, as optional fields of a shape are written. */
export function defined<Name extends string, Value>(name: Name, value: Value | undefined): { [K in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [K in Name]?: Value });
}

/** A value from outside, short enough for a message: of what is large or deep only the beginning is looked at. */
export function show(value: unknown): string {
  const text = brief(value, 3);
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}

const maxShown = 60;

function brief(value: unknown, depth: number): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, maxShown + 1));
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth === 0) return '…';
  const more = (count: number): string[] => (count > maxItems ? ['…'] : []);
  if (Array.isArray(value)) {
    const items = value.slice(0, maxItems).map((item) => brief(item, depth - 1));
    return `[${[...items, ...more(value.length)].join(',')}]`;
  }
  const names = Object.keys(value);
  const fields = names
    .slice(0, maxItems)
    .map((name) => `${brief(name, 1)}:${brief((value as Fields)[name], depth - 1)}`);
  return `{${[...fields, ...more(names.length)].join(',')}}`;
}

const maxItems = 8;

export function badConfig(what: string): LabError {
  return new LabError(
    'bad-config',
    `config.json: ${what}.`,
    'Take config.json from the same repository and revision as the weights.',
  );
}

export function unsupported(what: string, expected: string): LabError {
  return new LabError(
    'unsupported-architecture',
    `config.json sets ${what}; Secateur supports ${expected}.`,
    'Choose a model without this feature.',
  );
}

function issueText(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? 'a field';
  const bound =
    issue.requirement === undefined ? '' : ` (${issue.type.replace(/_/g, ' ')}: ${String(issue.requirement)})`;
  if (issue.input === undefined) return `${path} is missing`;
  const expected = typeof issue.requirement === 'function' ? 'a whole number' : (issue.expected ?? 'another value');
  return `${path}: expected ${expected}${typeof issue.requirement === 'function' ? '' : bound}, got ${show(issue.input)}`;
}

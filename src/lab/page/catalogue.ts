/** @file public/catalogue.json: models that are a good place to start; public/catalogue.md says how to add one. */
import * as v from 'valibot';
import { LabError } from '../../errors';
import { maxTextBytes, parseJson } from '../../io/json';
import { pageTransport, readPageText } from '../../shards/sources/http';

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(300));
const schema = v.strictObject({
  version: v.literal(1),
  models: v.array(
    v.strictObject({
      /** 'owner/name' on the Hub. */
      repository: v.pipe(text, v.regex(/^[\w.-]+\/[\w.-]+$/)),
      revision: text,
      /** Roughly what is downloaded. */
      approximateBytes: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
      /** As the Hub abbreviates it, e.g. 'apache-2.0'. */
      licence: v.optional(text),
      /** Its conditions must be accepted on the Hub, and a token given. */
      gated: v.optional(v.boolean(), false),
      why: text,
    }),
  ),
});

export type CatalogueEntry = v.InferOutput<typeof schema>['models'][number];

/** Checks a catalogue. Throws 'bad-source'. */
export function parseCatalogue(json: unknown): CatalogueEntry[] {
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output.models;
  const [issue] = parsed.issues;
  const where = v.getDotPath(issue) ?? 'the file';
  const entry = issue.path?.[0]?.key === 'models' ? namedEntry(json, issue.path[1]?.key) : '';
  throw new LabError(
    'bad-source',
    `catalogue.json: ${where}${entry}: ${issue.message}.`,
    'Correct the file as catalogue.md beside it says. Meanwhile any model can be looked up by its name.',
  );
}

/** The faulty entry by its name, where it has one: a teacher knows it by that, not by its number. */
function namedEntry(json: unknown, index: unknown): string {
  const models = (json as { models?: unknown }).models;
  const entry: unknown = Array.isArray(models) && typeof index === 'number' ? models[index] : null;
  const name = typeof entry === 'object' && entry !== null ? (entry as { repository?: unknown }).repository : null;
  return typeof name === 'string' ? ` (${name.slice(0, 100)})` : '';
}

/** The catalogue that lies beside the page. Throws 'network' and 'bad-source'. */
export async function fetchCatalogue(): Promise<CatalogueEntry[]> {
  const url = new URL('catalogue.json', document.baseURI);
  const body = await readPageText(url, 'catalogue.json', pageTransport(), maxTextBytes, undefined);
  return parseCatalogue(parseJson(body, 'catalogue.json', 'bad-source'));
}

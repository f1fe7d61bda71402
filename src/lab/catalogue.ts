/** @file public/catalogue.json: models that are a good place to start. */
import * as v from 'valibot';
import { LabError } from '../errors';

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(300));
const schema = v.object({
  version: v.literal(1),
  models: v.array(
    v.object({
      /** 'owner/name' on the Hub. */
      repository: v.pipe(text, v.regex(/^[\w.-]+\/[\w.-]+$/)),
      revision: text,
      /** Roughly what is downloaded. */
      approximateBytes: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
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
  throw new LabError('bad-source', `catalogue.json: ${where}: ${issue.message}`, 'Give the name of a model yourself.');
}

/** The catalogue that lies beside the page. Throws 'network' and 'bad-source'. */
export async function fetchCatalogue(): Promise<CatalogueEntry[]> {
  const unreadable = (cause: unknown): LabError =>
    new LabError('network', `catalogue.json: ${String(cause)}`, 'Give the name of a model yourself.', { cause });
  const response = await fetch(new URL('catalogue.json', document.baseURI)).catch((thrown: unknown) => {
    throw unreadable(thrown);
  });
  if (!response.ok) throw unreadable(`the server answered ${response.status}`);
  const json: unknown = await response.json().catch((thrown: unknown) => {
    throw unreadable(thrown);
  });
  return parseCatalogue(json);
}

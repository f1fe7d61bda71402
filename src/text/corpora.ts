/** @file public/corpora.json: texts on the Hugging Face Hub that measurements can name. */
import * as v from 'valibot';
import { LabError } from '../errors';

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(300));
const repository = v.pipe(text, v.regex(/^\w[\w.-]*\/\w[\w.-]*$/));
/** A folder or a split of a data set: no way out of the repository. */
const part = v.pipe(text, v.regex(/^\w[\w.-]*$/));
const place = { repository, revision: text };

const schema = v.object({
  version: v.literal(1),
  corpora: v.array(
    v.object({
      /** What `corpus` of a request says. */
      name: v.pipe(text, v.regex(/^[a-z0-9][a-z0-9.-]*$/)),
      title: text,
      ...place,
      /** Where else the same rows lie, for when the first place lacks them. */
      mirrors: v.optional(v.array(v.object(place)), []),
      config: part,
      split: part,
      column: text,
      /** Rows to take from the beginning; all without it. */
      rows: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
      /** 'calibration' draws rows, 'evaluation' joins them: the paper's protocols (protocols.ts). */
      uses: v.pipe(v.array(v.picklist(['calibration', 'evaluation'])), v.minLength(1)),
      why: text,
    }),
  ),
});

export type CorpusEntry = v.InferOutput<typeof schema>['corpora'][number];

/** Checks a list of corpora. Throws 'bad-source'. */
export function parseCorpora(json: unknown): CorpusEntry[] {
  const bad = (what: string): LabError =>
    new LabError('bad-source', `corpora.json: ${what}`, 'Correct the file, or use your own text.');
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw bad(`${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`);
  }
  const { corpora } = parsed.output;
  const names = new Set<string>();
  for (const { name } of corpora) {
    if (names.has(name)) throw bad(`two corpora have the name '${name}'.`);
    names.add(name);
  }
  return corpora;
}

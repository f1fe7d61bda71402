/**
 * @file What the methods of the contract accept, looked at before any work: kinds of values, and bounds beyond which no model
 * or machine makes sense of them. What depends on the open model (its context, its blocks) is looked at where that is known.
 */

import * as v from 'valibot';
import { LabError } from '../../errors';
import { exportDtypes } from '../../export/exported';
import { criteria, widthMethods } from '../../importance/methods';
import { flag, isObject, kind, list, oneOf, orNull, real, type Schema, text, whole } from '../../io/schema';
import { projectionRoles } from '../../model/shape';
import { sizeUnits } from '../../pruning/budget/sizes';
import { repairMethods } from '../../pruning/repairMethods';
import { retrainMethods, schedules } from '../../pruning/variant';
import { headRemovals, widthMultiples } from '../../pruning/widthRule';

/** Longest list, text or count that is taken for meant. */
const most = { tokens: 2 ** 20, samples: 1e6, runs: 1000, batch: 1024, name: 1000, text: 2 ** 30 };
const units = [...new Set(criteria.flatMap((method) => method.units))];
const ortRuntimes = ['ort-webgpu', 'ort-wasm'] as const;
const runtimes = ['wgsl', ...ortRuntimes] as const;
const precisions = ['exact', 'f16'] as const;
const methods = widthMethods.map(({ id }) => id);
const criterionIds = criteria.map(({ id }) => id);

const name = text(most.name);
const seed = whole(0, Number.MAX_SAFE_INTEGER);

/** An object whose known fields, if present, match these schemas; other fields are refused. */
function record(fields: Readonly<Record<string, Schema>>, expected = 'an object'): Schema {
  const optional = Object.fromEntries(Object.entries(fields).map(([key, schema]) => [key, v.optional(schema)]));
  return v.pipe(kind(expected, isObject), v.looseObject(optional, expected));
}

const blocks = list(whole(0, 1e6), 0, 1e6);
const barriers = record({ first: whole(0, 1e6), last: whole(0, 1e6) });
const target = kind("a variant's id or a plan", (value) => typeof value === 'string' || isObject(value));
// Windows of ids are looked at one by one where the vocabulary is known.
const corpus = {
  corpus: name,
  text: text(most.text),
  seqLen: whole(2, most.tokens),
  addBosToEvery: flag,
  hub: name,
};
const source = kind(
  'a name, an address or a list of files',
  (value) => typeof value === 'string' || Array.isArray(value),
);
const loadOptions = record({ revision: name, token: name, hub: name });
const proposal = { unit: oneOf(units), plus: flag, window: whole(1, 1e6), barriers };

const kept = list(orNull(list(whole(0, 1e6), 0, 1e6)), 0, 1e5);
const repair = oneOf([...repairMethods, 'linear-patch', 'none'] as const);
const planWays = ['blocks', 'attention', 'mlp', 'keepHeads', 'keepNeurons', 'criterion', 'width'] as const;

/** Of `lab.widthImportance`, and of plans by a width method. */
const widthOptions = {
  ...{ asPublished: flag, sequential: flag, heads: oneOf(headRemovals), seed },
  ...{ ratio: real(0, 1), roundTo: oneOf(widthMultiples) },
};

const planRequest = v.pipe(
  record({
    ...{ blocks, attention: blocks, mlp: blocks, keepHeads: kept, keepNeurons: kept, ...proposal },
    ...{ criterion: oneOf(criterionIds), count: whole(0, 1e6), width: oneOf(methods) },
    ...widthOptions,
  }),
  kind('one of blocks, attention, mlp, keepHeads, keepNeurons, criterion or width in the request', (value) =>
    planWays.some((key) => has(value, key)),
  ),
  kind('a ratio beside the width method', (value) => !has(value, 'width') || has(value, 'ratio')),
  kind(
    'a count or a ratio beside the criterion',
    (value) => !has(value, 'criterion') || has(value, 'count') || has(value, 'ratio'),
  ),
);

const budget = v.pipe(
  record({ ratio: real(0, 1), msPerToken: real(0, 1e9), bytes: real(0, 2 ** 53) }),
  kind(
    'exactly one of ratio, msPerToken and bytes',
    (value) => ['ratio', 'msPerToken', 'bytes'].filter((key) => has(value, key)).length === 1,
  ),
);

const evaluation = {
  ...corpus,
  stride: whole(1, most.tokens),
  samples: whole(1, most.samples),
  runtime: oneOf(runtimes),
};

const compareRequest = v.pipe(
  record({
    ...{ budget, methods: list(name, 1, 50), contextTokens: whole(1, most.tokens), repair },
    evaluation: record(evaluation),
    roundTo: list(oneOf(widthMultiples), 0, widthMultiples.length),
    ...{ runtime: oneOf(ortRuntimes), batchSizes: list(whole(1, most.batch), 1, 64) },
    ...{ promptTokens: whole(1, most.tokens), newTokens: whole(1, most.tokens) },
    ...{ warmups: whole(0, most.runs), runs: whole(2, most.runs) },
  }),
  kind('a budget and methods', (value) => has(value, 'budget') && has(value, 'methods')),
);

const retrainRequest = v.pipe(
  record({
    ...corpus,
    method: oneOf(retrainMethods),
    ...{ loraSteps: whole(1, 1e7), loraLearningRate: real(0, 1e3), rank: whole(1, 4096), alpha: real(0, 1e6) },
    ...{ dropout: real(0, 0.99), targets: list(oneOf(projectionRoles), 1, projectionRoles.length) },
    ...{ temperature: real(1e-3, 1e3), weight: real(0, 1) },
    instructions: list(
      record({ instruction: text(most.text), input: text(most.text), output: text(most.text) }),
      1,
      most.samples,
    ),
    instructionsFrom: name,
    generated: record({
      rows: whole(1, most.samples),
      seqLen: whole(2, most.tokens),
      temperature: real(0, 1e3),
      topK: whole(1, 1e7),
    }),
    ...{ heldOut: real(0, 1), checkpointEvery: whole(1, 1e7) },
    ...{ steps: whole(1, 1e7), batch: whole(1, most.batch), learningRate: real(0, 1e3), weightDecay: real(0, 1e3) },
    ...{ warmup: whole(0, 1e7), schedule: oneOf(schedules), clip: real(0, 1e9), beta1: real(0, 1), beta2: real(0, 1) },
    ...{ seed, samples: whole(1, most.samples), name, evaluateEvery: whole(1, 1e7) },
    evaluation: record({ ...corpus, samples: whole(1, most.samples) }),
  }),
  kind('method, steps, batch and learningRate', (value) =>
    ['method', 'steps', 'batch', 'learningRate'].every((key) => has(value, key)),
  ),
);

/** Rows or a whole record. Their schemas (`src/report/`) look at every field where they are read. */
function isComparison(value: unknown): boolean {
  return Array.isArray(value) ? value.length <= 1e5 && value.every(isRow) : isObject(value) && has(value, 'version');
}

function isRow(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { variant, plan, perplexity, latency } = value;
  return typeof variant === 'string' && isObject(plan) && isObject(perplexity) && Array.isArray(latency);
}

/** Of each method: its arguments by name, in their order. */
const accepted: Readonly<Record<string, readonly (readonly [name: string, schema: Schema])[]>> = {
  load: [
    ['source', source],
    ['options', loadOptions],
  ],
  preview: [
    ['source', source],
    ['options', loadOptions],
  ],
  forget: [['id', name]],
  forgetUnfinished: [['source', name]],
  tokenize: [
    ['text', text(most.text)],
    ['options', record({ specialTokens: flag })],
  ],
  detokenize: [['ids', list(whole(0, 2 ** 31), 0, most.text)]],
  addText: [
    ['source', kind('a string or a File', (value) => typeof value === 'string' || value instanceof Blob)],
    ['options', record({ field: name, title: name })],
  ],
  readInstructions: [
    [
      'source',
      v.union(
        [
          kind('a string or a File', (value) => typeof value === 'string' || value instanceof Blob),
          v.pipe(
            record({ dataset: name, revision: name, file: name, split: name, rows: whole(1, most.samples) }),
            kind('a dataset', (value) => !(value instanceof Blob) && has(value, 'dataset')),
          ),
        ],
        'a string, a File or { dataset }',
      ),
    ],
    ['options', record({ hub: name })],
  ],
  fetchText: [
    ['name', name],
    ['options', record({ hub: name })],
  ],
  forgetText: [['name', name]],
  calibrate: [['request', record({ ...corpus, samples: whole(1, most.samples), seed })]],
  importance: [
    ['criterion', oneOf(criterionIds)],
    [
      'options',
      record({
        ...proposal,
        count: whole(1, 1e6),
        seed,
        of: name,
        generations: whole(0, 1e6),
        offspring: whole(1, 1e6),
        survivors: list(whole(1, 1e6), 1, 100),
        tokens: list(whole(1, 2 ** 31), 1, 100),
      }),
    ],
  ],
  survey: [['options', record({ window: whole(1, 1e6), plus: flag, width: flag })]],
  widthImportance: [
    ['method', oneOf(methods)],
    ['options', record(widthOptions)],
  ],
  plan: [['request', planRequest]],
  variant: [
    ['plan', kind('a plan', isObject)],
    [
      'options',
      record({ name, patch: kind('a Blob or a File', (value) => value instanceof Blob), repair, parent: name }),
    ],
  ],
  discard: [['id', name]],
  perplexity: [
    ['target', target],
    ['request', record({ ...evaluation, precision: oneOf(precisions) })],
  ],
  latency: [
    ['id', name],
    [
      'request',
      record({
        promptTokens: whole(1, most.tokens),
        newTokens: whole(1, most.tokens),
        batchSizes: list(whole(1, most.batch), 1, 64),
        warmups: whole(0, most.runs),
        runs: whole(1, most.runs),
        runtime: oneOf(ortRuntimes),
        precision: oneOf(precisions),
        against: name,
      }),
    ],
  ],
  generate: [
    ['target', target],
    ['prompt', text(most.text)],
    [
      'options',
      record({
        newTokens: whole(1, most.tokens),
        temperature: real(0, 1e6),
        topK: whole(0, 2 ** 31),
        topP: real(0, 1),
        seed,
        runtime: oneOf(runtimes),
      }),
    ],
  ],
  evaluate: [
    ['id', name],
    [
      'request',
      v.pipe(
        record({
          task: kind('a name or a File', (value) => typeof value === 'string' || value instanceof Blob),
          labels: kind('a File', (value) => value instanceof Blob),
          limit: whole(1, most.samples),
          runtime: oneOf(runtimes),
        }),
        kind('a task', (value) => has(value, 'task')),
      ),
    ],
  ],
  iterate: [['request', record({ criterion: oneOf(criterionIds), count: whole(1, 1e6), repair, plus: flag, name })]],
  compare: [['request', compareRequest]],
  best: [
    [
      'request',
      record({
        ...{ msPerToken: real(0, 1e9), msShare: real(0, 1), cacheBytes: real(0, 2 ** 53), cacheShare: real(0, 1) },
        ratio: real(0, 1),
        units: list(oneOf(sizeUnits), 1, 5),
        runtime: oneOf(ortRuntimes),
        contextTokens: whole(1, most.tokens),
        seed,
        ...{ generations: whole(0, 1e4), offspring: whole(1, 1024) },
        ...{ newTokens: whole(2, most.tokens), warmups: whole(0, most.runs), runs: whole(2, most.runs) },
        evaluation: record({ ...corpus, samples: whole(1, most.samples) }),
      }),
    ],
  ],
  retrain: [
    ['id', name],
    ['request', retrainRequest],
  ],
  trainingMemory: [
    ['id', name],
    ['request', retrainRequest],
  ],
  pauseTraining: [['id', name]],
  resumeTraining: [['id', name]],
  stopTraining: [
    ['id', name],
    ['options', record({ keep: flag })],
  ],
  tune: [['request', record({ force: flag, budgetMs: real(0, 1e8) })]],
  profile: [['request', record({ pass: oneOf(['forward', 'taylor']), samples: whole(1, most.samples) })]],
  export: [
    ['id', name],
    ['format', text(100)],
    ['options', record({ dtype: oneOf(exportDtypes), archive: flag })],
  ],
  exportTo: [
    ['id', name],
    ['format', text(100)],
    ['folder', kind('the handle of a folder', (value) => isObject(value) && value['kind'] === 'directory')],
    ['options', record({ dtype: oneOf(exportDtypes) })],
  ],
  restoreComparison: [['rows', kind('rows of lab.comparison() or a record of lab.report()', isComparison)]],
};

/** Refuses arguments that a method cannot mean. @throws LabError 'bad-argument' that names the first, what was expected and what came */
export function checkArguments(method: string, args: readonly unknown[]): void {
  if (!Object.hasOwn(accepted, method)) return;
  for (const [index, [argument, schema]] of accepted[method]!.entries()) {
    const result = v.safeParse(schema, args[index], { abortEarly: true });
    if (result.success) continue;
    const [issue] = result.issues;
    const path = v.getDotPath(issue);
    const unnamed = argument === 'options' || argument === 'request';
    const where = path === null ? argument : unnamed ? path : `${argument}.${path}`;
    throw badArgument(where, issue.message, issue.input, method);
  }
}

/** The options that a task reads itself: they stay on the page's side. */
export function checkTask(task: unknown, method: string): void {
  if (task === undefined || task === null) return;
  if (!isObject(task)) throw badArgument('options', 'an object', task, method);
  const { signal, onProgress } = task as { signal?: unknown; onProgress?: unknown };
  if (signal !== undefined && signal !== null && !(signal instanceof AbortSignal)) {
    throw badArgument('signal', 'an AbortSignal', signal, method);
  }
  if (onProgress !== undefined && onProgress !== null && typeof onProgress !== 'function') {
    throw badArgument('onProgress', 'a function', onProgress, method);
  }
}

/** Refuses a latency's text that no session can run. @throws LabError 'bad-argument' */
export function checkLatencyText(
  longest: number,
  { promptTokens = 12, newTokens = 128 }: { promptTokens?: number; newTokens?: number },
): void {
  const tokens = promptTokens + newTokens;
  if (tokens > longest)
    throw badArgument('promptTokens and newTokens', `at most ${longest} together`, tokens, 'latency');
}

/** Has every method of a prototype look at what follows its task. */
export function guardMethods(prototype: object): void {
  for (const method of Object.keys(accepted)) {
    const own: unknown = Reflect.get(prototype, method);
    if (typeof own !== 'function') throw new TypeError(`the session has no method '${method}'`);
    const guarded = async function (this: unknown, task: unknown, ...args: unknown[]): Promise<unknown> {
      checkArguments(method, args);
      return Reflect.apply(own, this, [task, ...args]);
    };
    Reflect.set(prototype, method, guarded);
  }
}

function badArgument(where: string, expected: string, got: unknown, method: string): LabError {
  const message = `${where}: expected ${expected}, got ${shown(got)}.`;
  return new LabError(
    'bad-argument',
    message,
    `See src/lab/contract/types.ts, the contract, for what lab.${method} takes.`,
  );
}

function shown(value: unknown): string {
  if (typeof value === 'number' || value === undefined) return String(value);
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') return `a ${typeof value}`;
  if (Array.isArray(value) && value.length > 8) return `a list of ${value.length}`;
  if (typeof value === 'string') return value.length > 60 ? `a string of ${value.length} characters` : `'${value}'`;
  try {
    return JSON.stringify(value).slice(0, 100);
  } catch {
    return 'an object that is not plain data';
  }
}

function has(value: unknown, key: string): boolean {
  return (value as Record<string, unknown>)[key] !== undefined;
}

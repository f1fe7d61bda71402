/** @file The headless runner's command line: options, defaults and error messages. */
import { parseArgs } from 'node:util';
import { criteria, widthMethods } from '../../src/importance/methods.ts';
import { repairMethods } from '../../src/pruning/repairMethods.ts';
import { retrainMethods, schedules } from '../../src/pruning/variant.ts';
import { headRemovals, widthMultiples } from '../../src/pruning/widthRule.ts';
import { outputHelp, outputSpecification, readOutputs } from './outputs.mjs';

const ids = (methods) => methods.map(({ id }) => id);
/** Criteria that score every unit without reading the model: what the others should beat. */
const isBaseline = ({ kind, needs }) => kind === 'score' && needs === 'nothing';
const baselines = ids(criteria.filter(isBaseline));
const searches = ids(criteria.filter(({ kind }) => kind !== 'score'));
/** Criteria of `--criterion all`, cheapest first: the registry begins with the most expensive. */
export const allCriteria = ids(criteria.filter((method) => method.kind === 'score' && !isBaseline(method))).reverse();
const knownCriteria = [...allCriteria, ...searches, ...baselines];
const runtimes = ['auto', 'ort-wasm', 'ort-webgpu', 'none'];
const precisions = ['exact', 'f16'];
const widths = ids(widthMethods);
const repairs = [...repairMethods, 'none'];

export const help = `npm run lab -- [options]     runs the laboratory headless in Chromium and prints its numbers

Model
  --model SOURCE        demo (default), an address of a folder that holds config.json, or ./folder on this disk
Importance
  --criterion LIST      ${allCriteria.join(', ')}, or all of these;
                        ${searches.join(', ')} (searches); ${baselines.join(', ')} (baselines)
                        (default: ppl; none where --width, --compare or a --best option is given)
  --plus                protect the first four and the last two blocks
  --width LIST          score heads and neurons: ${widths.join(', ')}
  --samples N           calibration sequences (default: 10)
  --seqLen N            tokens per sequence (default: 128)
  --seed N              seed of the calibration and of 'random'
Texts, by the names in public/corpora.json, e.g. bookcorpus, c4; wikitext-2, ptb (default: the built-in stories)
  --calibrate-on NAME   by the paper's protocol: rows chosen and cropped at random
  --evaluate-on NAME    perplexities by the paper's protocol, on all of the text
  --bos-to-every        the model's start token before every sequence, as Gemma needs it
Variants: one per criterion and width method, or one for given blocks. Without these options, only the original model is measured
  --remove 5,6          remove these blocks
  --count N             remove the N blocks that each criterion ranks lowest (not with --width)
  --ratio 0.2           remove this share of the parameters: blocks by each criterion, heads and neurons by each width method
  --repair NAME         ${repairs.join(', ')}: repair each variant on the calibration text, without training
                        (default: as the method does, that is flap-bias for flap)
  --as-published        width methods: the numbers of the official code where ours differ on purpose
  --round-to N          width methods: ${widthMultiples.join(', ')}: neurons that remain per block are a multiple of N
  --heads NAME          width methods: ${headRemovals.join(', ')}: how grouped-query attention loses its heads
Comparison under one budget: the laboratory makes one variant per method and times all of them in turns
  --compare LIST        criteria and width methods; 'taylor+' protects the outer blocks, 'width:random' is the width method
  --budget-ratio 0.2    share of the parameters to remove
  --budget-ms N         milliseconds per token
  --budget-bytes N      weights and key/value cache, bytes
Best model: searches blocks, attentions, MLPs, heads and neurons for the lowest perplexity under a limit, then measures it
  --best-ms N           at most N milliseconds per token
  --best-ratio 0.2      remove at least this share of the parameters
Retraining: each variant, or the original model where there is none, by each method; every result is a variant of its own
  --retrain LIST        ${retrainMethods.join(', ')}: LoRA, all weights, all weights and then LoRA, distillation from the base
  --steps N             (default: 100)     --batch N       rows of a step (default: 4)
  --learning-rate N     of trainings of all weights (default: 0.001)
  --lora-learning-rate N  of low-rank factors (default: 0.005)
  --rank N  --alpha N   of the factors (default: 8 and 16)
  --warmup N            steps until the learning rate is reached (default: a twentieth of all)
  --schedule NAME       ${schedules.join(', ')} (default: cosine)
  --train-on NAME       text to train on (default: the built-in calibration text; the perplexities are those of the held-out text)
  --hold-out 0.1        hold out this share of that text's rows for the perplexities on the way
Benchmark
  --runtime NAME        ${runtimes.join(', ')}: ONNX Runtime's provider for perplexity and latency
                        (default: auto, that is ort-webgpu on a hardware GPU and else ort-wasm)
  --precision NAME      ${precisions.join(', ')}: precision of ONNX Runtime; f16 needs shader-f16, and agreement on real text (default: exact)
  --latency on|off      measure latency (default: on)
  --prompt-tokens N     (default: 12)      --new-tokens N  (default: 128)
  --warmups N           (default: 3)       --runs N        (default: 10)
                        runs of a variant alternate with the original model's; the speed-up has a 95 % interval
Browser
  --gpu                 use this machine's GPU instead of the software adapter
  --headed              show the window
  --chromium PATH       executable to use (else CHROMIUM_PATH, else what is installed)
${outputHelp}`;

const specification = {
  model: { type: 'string', default: 'demo' },
  criterion: { type: 'string' },
  plus: { type: 'boolean', default: false },
  samples: { type: 'string', default: '10' },
  seqLen: { type: 'string', default: '128' },
  seed: { type: 'string' },
  'calibrate-on': { type: 'string' },
  'evaluate-on': { type: 'string' },
  'bos-to-every': { type: 'boolean' },
  remove: { type: 'string' },
  count: { type: 'string' },
  ratio: { type: 'string' },
  width: { type: 'string' },
  repair: { type: 'string' },
  'as-published': { type: 'boolean', default: false },
  'round-to': { type: 'string' },
  heads: { type: 'string' },
  compare: { type: 'string' },
  'budget-ratio': { type: 'string' },
  'budget-ms': { type: 'string' },
  'budget-bytes': { type: 'string' },
  'best-ms': { type: 'string' },
  'best-ratio': { type: 'string' },
  retrain: { type: 'string' },
  steps: { type: 'string' },
  batch: { type: 'string' },
  'learning-rate': { type: 'string' },
  'lora-learning-rate': { type: 'string' },
  rank: { type: 'string' },
  alpha: { type: 'string' },
  warmup: { type: 'string' },
  schedule: { type: 'string' },
  'train-on': { type: 'string' },
  'hold-out': { type: 'string' },
  runtime: { type: 'string', default: 'auto' },
  precision: { type: 'string', default: 'exact' },
  latency: { type: 'string', default: 'on' },
  'prompt-tokens': { type: 'string', default: '12' },
  'new-tokens': { type: 'string', default: '128' },
  warmups: { type: 'string', default: '3' },
  runs: { type: 'string', default: '10' },
  gpu: { type: 'boolean', default: false },
  headed: { type: 'boolean', default: false },
  chromium: { type: 'string' },
  ...outputSpecification,
  quiet: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
};

/** A mistake on the command line: shown with a pointer to --help, exit code 2. */
export class UsageError extends Error {}

function whole(name, text, least) {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`--${name}: expected a whole number from ${least}, got '${text}'.`);
}

function oneOf(name, text, allowed) {
  if (allowed.includes(text)) return text;
  throw new UsageError(`--${name}: expected one of ${allowed.join(', ')}; got '${text}'.`);
}

function share(name, text) {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value < 1) return value;
  throw new UsageError(`--${name}: expected a share between 0 and 1, such as 0.2; got '${text}'.`);
}

function positive(name, text) {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && Number.isFinite(value)) return value;
  throw new UsageError(`--${name}: expected a number above 0, got '${text}'.`);
}

/** The options that are given, each read by its function. */
const given = (values, readers) =>
  Object.fromEntries(
    Object.entries(readers).flatMap(([field, [name, read]]) =>
      values[name] === undefined ? [] : [[field, read(name, values[name])]],
    ),
  );

/** Ids of a list, each once. */
const listed = (name, text, allowed) => [...new Set(text.split(',').map((id) => oneOf(name, id.trim(), allowed)))];

/** What to remove: at most one of --remove, --count and --ratio. */
function cut(values) {
  const ways = ['remove', 'count', 'ratio'].filter((name) => values[name] !== undefined);
  if (ways.length > 1) {
    throw new UsageError(`${ways.map((name) => `--${name}`).join(' and ')} exclude each other: give one.`);
  }
  if (values.remove !== undefined) {
    return { blocks: values.remove.split(',').map((text) => whole('remove', text.trim(), 0)) };
  }
  if (values.count !== undefined) return { count: whole('count', values.count, 1) };
  return values.ratio === undefined ? null : { ratio: share('ratio', values.ratio) };
}

/** Options of width methods, as `lab.plan` takes them; null without --width. */
function width(values) {
  const options = ['as-published', 'round-to', 'heads'].filter((name) => values[name]);
  if (values.width === undefined) {
    if (options.length === 0) return null;
    throw new UsageError(`--${options[0]} belongs to width methods: give --width too.`);
  }
  if (values.count !== undefined) {
    throw new UsageError('--count counts blocks: give --ratio to remove heads and neurons by --width.');
  }
  const asked = given(values, {
    roundTo: ['round-to', (name, text) => Number(oneOf(name, text, widthMultiples.map(String)))],
    heads: ['heads', (name, text) => oneOf(name, text, headRemovals)],
  });
  return {
    methods: listed('width', values.width, widths),
    how: { ...(values['as-published'] ? { asPublished: true } : {}), ...asked },
  };
}

/** What `--compare` asks: methods and one budget; null without it. */
function comparison(values) {
  const budget = given(values, {
    ratio: ['budget-ratio', share],
    msPerToken: ['budget-ms', positive],
    bytes: ['budget-bytes', positive],
  });
  const budgets = Object.keys(budget).length;
  if (values.compare === undefined) {
    if (budgets > 0) throw new UsageError('A --budget option is the budget of a comparison: give --compare too.');
    return null;
  }
  if (budgets !== 1) {
    throw new UsageError('--compare needs exactly one of --budget-ratio, --budget-ms and --budget-bytes.');
  }
  const blocks = knownCriteria.flatMap((id) => [id, `${id}+`]);
  const allowed = [...blocks, ...widths.map((id) => (knownCriteria.includes(id) ? `width:${id}` : id))];
  return { budget, methods: listed('compare', values.compare, allowed) };
}

const trainingOptions = [
  ...['steps', 'batch', 'learning-rate', 'lora-learning-rate', 'rank', 'alpha', 'warmup', 'schedule'],
  ...['train-on', 'hold-out'],
];

/** The requests of `lab.retrain` for each variant; null without --retrain. */
function trainings(values) {
  if (values.retrain === undefined) {
    const alone = trainingOptions.find((name) => values[name] !== undefined);
    if (alone !== undefined) throw new UsageError(`--${alone} belongs to trainings: give --retrain too.`);
    return null;
  }
  const least = (from) => (name, text) => whole(name, text, from);
  const asked = given(values, {
    ...{ steps: ['steps', least(1)], batch: ['batch', least(1)], warmup: ['warmup', least(0)] },
    schedule: ['schedule', (name, text) => oneOf(name, text, schedules)],
    corpus: ['train-on', (_, text) => text],
    heldOut: ['hold-out', share],
  });
  const rates = given(values, {
    full: ['learning-rate', positive],
    lora: ['lora-learning-rate', positive],
  });
  const factors = given(values, { rank: ['rank', least(1)], alpha: ['alpha', positive] });
  const { full = 1e-3, lora = 5e-3 } = rates;
  const { steps = 100 } = asked;
  const common = { steps, batch: 4, schedule: 'cosine', warmup: Math.floor(steps / 20), ...asked };
  return listed('retrain', values.retrain, retrainMethods).map((method) => ({
    ...{ method, learningRate: method === 'lora' ? lora : full, ...common },
    ...(method === 'full+lora' ? { loraLearningRate: lora } : {}),
    ...(method.includes('lora') ? factors : {}),
  }));
}

/** What the search for the best model must meet; null without a limit. */
function best(values) {
  const limits = given(values, { msPerToken: ['best-ms', positive], ratio: ['best-ratio', share] });
  return Object.keys(limits).length === 0 ? null : limits;
}

/** The criteria to measure: by perplexity, as in the paper, where nothing else is asked for. */
function chosenCriteria(values) {
  const isElse = ['width', 'compare', 'best-ms', 'best-ratio'].some((name) => values[name] !== undefined);
  const { criterion = isElse ? '' : 'ppl' } = values;
  if (criterion === '') return [];
  return criterion === 'all' ? allCriteria : listed('criterion', criterion, knownCriteria);
}

/**
 * Reads the arguments after the script's name.
 * @throws UsageError naming the option, what was expected and what came
 */
export function readOptions(parameters) {
  let values;
  try {
    ({ values } = parseArgs({ args: parameters, options: specification }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  return {
    help: values.help,
    model: values.model,
    criteria: chosenCriteria(values),
    width: width(values),
    repair: values.repair === undefined ? undefined : oneOf('repair', values.repair, repairs),
    compare: comparison(values),
    best: best(values),
    trainings: trainings(values),
    plus: values.plus,
    samples: whole('samples', values.samples, 1),
    seqLen: whole('seqLen', values.seqLen, 2),
    seed: values.seed === undefined ? undefined : whole('seed', values.seed, 0),
    calibrateOn: values['calibrate-on'],
    evaluateOn: values['evaluate-on'],
    addBosToEvery: values['bos-to-every'],
    cut: cut(values),
    runtime: oneOf('runtime', values.runtime, runtimes),
    precision: oneOf('precision', values.precision, precisions),
    latency: oneOf('latency', values.latency, ['on', 'off']) === 'on',
    promptTokens: whole('prompt-tokens', values['prompt-tokens'], 1),
    newTokens: whole('new-tokens', values['new-tokens'], 1),
    warmups: whole('warmups', values.warmups, 0),
    runs: whole('runs', values.runs, 1),
    gpu: values.gpu,
    headed: values.headed,
    chromium: values.chromium,
    ...readOutputs(values, UsageError),
    quiet: values.quiet,
  };
}

/** @file The headless runner's command line: options, defaults and error messages. */
import { parseArgs } from 'node:util';
import { criteria } from '../../src/importance/methods.ts';

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

export const help = `npm run lab -- [options]     runs the laboratory headless in Chromium and prints its numbers

Model
  --model SOURCE        demo (default), an address of a folder that holds config.json, or ./folder on this disk
Importance
  --criterion LIST      ${allCriteria.join(', ')}, or all of these;
                        ${searches.join(', ')} (searches); ${baselines.join(', ')} (baselines)
                        (default: ppl)
  --plus                protect the first four and the last two blocks
  --samples N           calibration sequences (default: 10)
  --seqLen N            tokens per sequence (default: 128)
  --seed N              seed of the calibration and of 'random'
Texts, by the names in public/corpora.json, e.g. bookcorpus, c4; wikitext-2, ptb (default: the built-in stories)
  --calibrate-on NAME   by the paper's protocol: rows chosen and cropped at random
  --evaluate-on NAME    perplexities by the paper's protocol, on all of the text
  --bos-to-every        the model's start token before every sequence, as Gemma needs it
Plan: one variant per criterion, or one for given blocks; without any of these only the original model is measured
  --remove 5,6          remove these blocks
  --count N             remove the N blocks that each criterion ranks lowest
  --ratio 0.2           remove as many blocks as come closest to this share of the parameters
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
Output: progress on stderr, tables on stdout
  --json FILE           also write the report as JSON; with - the report alone goes to stdout
  --quiet               no progress
  --help
`;

const specification = {
  model: { type: 'string', default: 'demo' },
  criterion: { type: 'string', default: 'ppl' },
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
  json: { type: 'string' },
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

function share(text) {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value < 1) return value;
  throw new UsageError(`--ratio: expected a share between 0 and 1, such as 0.2; got '${text}'.`);
}

/** What to remove: at most one of --remove, --count and --ratio. */
function cut(values) {
  const given = ['remove', 'count', 'ratio'].filter((name) => values[name] !== undefined);
  if (given.length > 1) {
    throw new UsageError(`${given.map((name) => `--${name}`).join(' and ')} exclude each other: give one.`);
  }
  if (values.remove !== undefined) {
    return { blocks: values.remove.split(',').map((text) => whole('remove', text.trim(), 0)) };
  }
  if (values.count !== undefined) return { count: whole('count', values.count, 1) };
  return values.ratio === undefined ? null : { ratio: share(values.ratio) };
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
  const listed = values.criterion.split(',').map((text) => text.trim());
  const chosen = values.criterion === 'all' ? allCriteria : listed.map((id) => oneOf('criterion', id, knownCriteria));
  return {
    help: values.help,
    model: values.model,
    criteria: [...new Set(chosen)],
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
    json: values.json,
    quiet: values.quiet,
  };
}

/** @file The page's verbs while the worker is gone: each ends without an exception, and the store says why. */
import 'fake-indexeddb/auto';
import { beforeEach, expect, test, vi } from 'vitest';
import { LabError } from '../../errors';
import { emptyPlan } from '../../pruning/plan';
import type { ModelInfo } from '../../report/facts';
import * as commands from './commands';
import * as starting from './starting';
import { initialState, labStore } from './store';

/** Calls that the worker still answers before it dies. */
const worker = vi.hoisted(() => ({ answers: 0 }));
/** What it answers: enough for the commands to go on. */
const answers = vi.hoisted(
  (): Record<string, unknown> => ({
    calibrate: { hash: 'h', seed: 1 },
    comparison: [],
    latency: [],
    perplexity: { perplexity: 2 },
    generate: { text: 'more' },
    stored: [],
    texts: [],
    unfinished: [],
    variant: { id: 'v1' },
    variants: [],
    export: [],
    importance: { scores: [], subBlock: null },
    survey: {},
    profile: {},
  }),
);

vi.mock('./lab', async (original) => {
  const say = async (answer: unknown): Promise<unknown> => {
    worker.answers -= 1;
    if (worker.answers >= 0) return answer;
    throw new LabError('worker', 'The worker is gone.', 'Start it again.');
  };
  const lab = new Proxy(
    {},
    { get: (_, name) => (name === 'ready' ? Promise.resolve() : () => say(answers[String(name)] ?? null)) },
  );
  return { ...(await original<object>()), lab, loadForPage: () => say({ ...model, id: 'other' }) };
});

const layers = Array.from({ length: 3 }, (_, source) => ({ source, heads: 2, kvHeads: 1, headDim: 16, ffn: 48 }));
const shape = {
  family: 'llama',
  vocab: 64,
  hidden: 32,
  layers,
  normEps: 1e-5,
  ropeTheta: 1e4,
  maxPositions: 64,
  tiedHead: true,
};
const model = { id: 'some', source: 'some', shape, tokenizer: true } as unknown as ModelInfo;
const plan = { ...emptyPlan('some'), removeBlocks: [1] };

beforeEach(() => {
  vi.stubGlobal('location', new URL('http://localhost/?model='));
  vi.stubGlobal('history', { state: null, replaceState: () => undefined });
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  reset();
});

function reset(): void {
  const device = { adapter: 'x', software: false } as unknown as NonNullable<typeof initialState.device>;
  const texts = { prompt: 'Once', base: null, variant: null };
  labStore.setState({ ...initialState, ready: true, model, device, plan, texts }, true);
}

const { getState } = labStore;

const ended = { key: 'k', source: 'some', stage: 'loading', left: false, times: 1, since: 0 } as const;

async function bootAt(query: string): Promise<void> {
  vi.stubGlobal('location', new URL(`http://localhost/${query}`));
  await starting.boot();
}

const tried: readonly (readonly [string, () => unknown])[] = [
  ['boot', () => starting.boot()],
  ['boot with a link', () => bootAt('?model=owner/name')],
  ['boot with a link to nothing', () => bootAt('?model=nonsense')],
  ['boot', () => bootAt('')],
  ['openAgain', () => starting.openAgain(ended)],
  ['openDemoInstead', () => starting.openDemoInstead()],
  ['forgetEnded', () => starting.forgetEnded(ended)],
  ['loadModel', () => commands.loadModel('demo')],
  ['chooseCalibration', () => commands.chooseCalibration({ samples: 2 })],
  ['chooseEvaluation', () => commands.chooseEvaluation({ samples: 2 })],
  ['forgetText', () => commands.forgetText('text:x')],
  ['chooseCriterion', () => commands.chooseCriterion('taylor')],
  ['chooseUnits', () => commands.chooseUnits('subBlocks')],
  ['benchmarkDraft', () => commands.benchmarkDraft()],
  ['downloadVariant', () => commands.downloadVariant('v1')],
  ['discardVariant', () => commands.discardVariant('v1')],
  ['write', () => commands.write('Two')],
  ['measure', () => commands.measure('taylor')],
  ['measureAll', () => commands.measureAll(['taylor', 'magnitude'])],
  ['measureSubBlocks', () => commands.measureSubBlocks('taylor')],
  ['runSearch', () => commands.runSearch('sleb')],
  ['runEvolution', () => commands.runEvolution({ unit: 'block', barriers: { head: 0, tail: 0 } } as never)],
  ['measureKernels', () => commands.measureKernels()],
  ['profileKernels', () => commands.profileKernels()],
  ['refreshTuning', () => commands.refreshTuning()],
  ['refreshMemory', () => commands.refreshMemory()],
  ['limitMemory', () => commands.limitMemory(1e9)],
  ['previewModel', () => commands.previewModel('a/b')],
  ['forgetModel', () => commands.forgetModel('some')],
  ['forgetUnfinished', () => commands.forgetUnfinished('some')],
  ['keepStored', () => commands.keepStored()],
  ['refreshStorage', () => commands.refreshStorage()],
  ['refreshTexts', () => commands.refreshTexts()],
  ['addText', () => commands.addText('text')],
  ['restartLaboratory', () => commands.restartLaboratory()],
  ['dismissInterruption', () => commands.dismissInterruption()],
  ['choosePrecision', () => commands.choosePrecision('exact')],
];

test.each(tried)('%s does not throw, whenever the worker dies', async (_name, command) => {
  for (let answered = 0; answered < 8; answered += 1) {
    reset();
    worker.answers = answered;
    await expect(Promise.resolve(command())).resolves.not.toThrow();
  }
});

test('what failed outside a task is said under its key', async () => {
  worker.answers = 0;
  await commands.benchmarkDraft();
  expect(getState().tasks.benchmark).toMatchObject({ phase: 'failed', failure: { code: 'worker' } });
});

test('every command that the page has is tried above or starts nothing', () => {
  const quiet = [
    'adoptScriptLoads',
    'watchForSilence',
    'applyEvolution',
    'applySearch',
    'cancelTask',
    'choosePlus',
    'closePreview',
    'isOnHub',
    'openingBytes',
    'proposalOrder',
    'proposeCount',
    'redo',
    'resetPlan',
    'toggleBlock',
    'toggleSubBlock',
    'undo',
  ];
  const names = new Set(tried.map(([name]) => name));
  expect(Object.keys({ ...commands, ...starting }).filter((name) => !names.has(name) && !quiet.includes(name))).toEqual(
    [],
  );
});

/** @file The page's commands while the worker is gone: each ends without an exception, and the store says why. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { ModelRecord } from '../../../report/record';
import { type TestPage, testModel, testPage, without } from '../testing/page';
import type { Commands } from './createCommands';

const model = testModel('some');
const ended = { key: 'k', source: 'some', stage: 'loading', left: false, times: 1, since: 0 } as const;

let page: TestPage;

/** Answers that let the commands go on as far as they can. */
function open(address = 'http://localhost/?model='): void {
  page = testPage(address);
  page.show(model, { plan: without(model, 1) });
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  return () => void vi.useRealTimers();
});

const report = {
  ...{
    version: 2,
    created: '',
    program: 'p',
    device: null,
    calibration: null,
    scores: [],
    widthScores: [],
    searches: {},
  },
  ...{ evolution: null, comparison: [], model: { id: 'demo', revision: '1' } },
} as unknown as ModelRecord;

const training = { method: 'full', steps: 1, batch: 1, learningRate: 1e-3 } as const;
const showDemo = async (): Promise<void> => page.show(testModel('demo'));
const showTraining = async (): Promise<void> =>
  page.store.setState({ trainings: [{ id: 't1', variant: 'v1', request: training, phase: 'interrupted' } as never] });

const tried: readonly (readonly [keyof Commands, string, (commands: Commands) => unknown])[] = [
  ['boot', '', ({ boot }) => boot()],
  ['boot', '?model=owner/name', ({ boot }) => boot()],
  ['boot', '?model=nonsense', ({ boot }) => boot()],
  ['boot', '?model=', ({ boot }) => boot()],
  ['openAgain', '', ({ openAgain }) => openAgain(ended)],
  ['openDemoInstead', '', ({ openDemoInstead }) => openDemoInstead()],
  ['forgetEnded', '', ({ forgetEnded }) => forgetEnded(ended)],
  ['loadModel', '', ({ loadModel }) => loadModel('demo')],
  ['chooseCalibration', '', ({ chooseCalibration }) => chooseCalibration({ samples: 2 })],
  ['chooseEvaluation', '', ({ chooseEvaluation }) => chooseEvaluation({ samples: 2 })],
  ['forgetText', '', ({ forgetText }) => forgetText('text:x')],
  ['chooseCriterion', '', ({ chooseCriterion }) => chooseCriterion('taylor')],
  ['chooseUnits', '', ({ chooseUnits }) => chooseUnits('subBlocks')],
  ['benchmarkDraft', '', ({ benchmarkDraft }) => benchmarkDraft()],
  ['askQuestions', '', ({ askQuestions }) => askQuestions()],
  ['compare', '', ({ compare }) => compare({ budget: { ratio: 0.2 }, methods: ['ppl'] })],
  [
    'exportDownload',
    '',
    ({ chooseExport, exportDownload }) => {
      chooseExport({ variant: 'v1' });
      return exportDownload();
    },
  ],
  [
    'exportToFolder',
    '',
    ({ exportToFolder }) => {
      page.folder = { name: 'models' } as FileSystemDirectoryHandle;
      return exportToFolder();
    },
  ],
  ['discardVariant', '', ({ discardVariant }) => discardVariant('v1')],
  ['write', '', ({ write }) => write('Two')],
  ['measure', '', ({ measure }) => measure('taylor')],
  ['measureAll', '', ({ measureAll }) => measureAll(['taylor', 'magnitude'])],
  ['measureSubBlocks', '', ({ measureSubBlocks }) => measureSubBlocks('taylor')],
  ['chooseWidthMethod', '', ({ chooseWidthMethod }) => chooseWidthMethod('random')],
  ['measureWidth', '', ({ measureWidth }) => measureWidth('flap')],
  ['proposeWidth', '', ({ proposeWidth }) => proposeWidth(0.2)],
  ['train', '', ({ train }) => train([null], training)],
  ['askTrainingMemory', '', ({ askTrainingMemory }) => askTrainingMemory('v1', training)],
  ['readDataset', '', ({ readDataset }) => readDataset('a/b')],
  ['pauseTraining', '', ({ pauseTraining }) => pauseTraining('t1')],
  ['resumeTraining', '', ({ resumeTraining }) => showTraining().then(() => resumeTraining('t1'))],
  ['stopTraining', '', ({ stopTraining }) => showTraining().then(() => stopTraining('t1', true))],
  ['runExperiment', '', ({ runExperiment }) => showDemo().then(() => runExperiment())],
  ['repairPlan', '', ({ repairPlan }) => repairPlan('replace-me')],
  ['runSearch', '', ({ runSearch }) => runSearch('sleb')],
  ['runEvolution', '', ({ runEvolution }) => runEvolution({ unit: 'block', barriers: { first: 0, last: 0 } })],
  ['findBest', '', ({ findBest }) => findBest({ msShare: 0.8 })],
  ['compare', '', ({ compare }) => compare({ budget: { ratio: 0.2 }, methods: ['taylor'] })],
  ['measureKernels', '', ({ measureKernels }) => measureKernels()],
  ['profileKernels', '', ({ profileKernels }) => profileKernels()],
  ['refreshTuning', '', ({ refreshTuning }) => refreshTuning()],
  ['refreshMemory', '', ({ refreshMemory }) => refreshMemory()],
  ['limitMemory', '', ({ limitMemory }) => limitMemory(1e9)],
  ['previewModel', '', ({ previewModel }) => previewModel('a/b')],
  ['forgetModel', '', ({ forgetModel }) => forgetModel('some')],
  ['forgetUnfinished', '', ({ forgetUnfinished }) => forgetUnfinished('some')],
  ['keepStored', '', ({ keepStored }) => keepStored()],
  ['refreshStorage', '', ({ refreshStorage }) => refreshStorage()],
  ['refreshTexts', '', ({ refreshTexts }) => refreshTexts()],
  ['addText', '', ({ addText }) => addText('text')],
  ['reproduceReport', '', ({ reproduceReport }) => reproduceReport(report, { skip: [] })],
  ['readReport', '', ({ readReport }) => readReport()],
  ['restartLaboratory', '', ({ restartLaboratory }) => restartLaboratory()],
];

test.each(tried)('%s at /%s does not throw, whenever the worker dies', async (_name, query, command) => {
  for (let answered = 0; answered < 12; answered += 1) {
    open(`http://localhost/${query}`);
    page.answers = answered;
    await expect(Promise.resolve(command(page.commands))).resolves.not.toThrow();
  }
});

test('a failure outside a task is the state of its key', async () => {
  open();
  page.answers = 0;
  await page.commands.discardVariant('v1');
  expect(page.store.getState().tasks.benchmark).toMatchObject({ phase: 'failed', failure: { code: 'worker' } });
});

test('every command that calls the laboratory is tried above', () => {
  const callNothing = [
    'applyEvolution',
    'applySearch',
    'cancelTask',
    'chooseExport',
    'choosePlus',
    'choosePrecision',
    'chooseWidth',
    'chooseWords',
    'closePreview',
    'dismissInterruption',
    'hubChoice',
    'isOnHub',
    'dismissAddressNotes',
    'keepNeurons',
    'lessonLink',
    'openingBytes',
    'proposeCount',
    'redo',
    'resetPlan',
    'saveImage',
    'saveReport',
    'showVariant',
    'skipPart',
    'toggleBlock',
    'toggleHeads',
    'toggleSubBlock',
    'undo',
    'withoutRepair',
  ];
  /** Called by other commands only. */
  const steps = [
    'adopt',
    'adoptCalibration',
    'calibrateAsChosen',
    'evaluateOnBuiltInIfNeeded',
    'edit',
    'measureChosen',
    'measureChosenWidth',
    'measureFast',
    'present',
    'select',
    'variantsChanged',
  ];
  open();
  const known = new Set<string>([...tried.map(([name]) => name), ...callNothing, ...steps]);
  expect(Object.keys(page.commands).filter((name) => !known.has(name))).toEqual([]);
});

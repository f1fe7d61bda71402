/** @file Heads and neurons: scores measured when they are needed, edits by click, proposals and repairs. */
import { beforeEach, expect, test, vi } from 'vitest';
import { LabError } from '../../../errors';
import { emptyPlan, type PruningPlan } from '../../../pruning/plan';
import { type TestPage, testModel, testPage, without } from '../testing/page';
import { widthRequest } from './width';

const model = testModel('m');
const neurons = Array.from({ length: 48 }, (_, index) => index);
const found = {
  method: 'flap',
  heads: [
    [1, 2],
    [1, 2],
    [1, 2],
    [1, 2],
  ],
  headUnit: 'head',
  neurons: [neurons, neurons, neurons, neurons],
};
let page: TestPage;

beforeEach(() => {
  vi.useFakeTimers();
  page = testPage();
  page.show(model);
  page.does.widthImportance = () => found;
  return () => void vi.useRealTimers();
});

const state = () => page.store.getState();

test('heads and neurons are scored when they are chosen, and once', async () => {
  await page.commands.chooseUnits('width');
  await page.commands.chooseUnits('width');
  expect(page.callsOf('widthImportance')).toHaveLength(1);
  expect(state().widthScores.flap?.neurons[0]).toEqual(Float64Array.from(neurons));
  await page.commands.chooseWidthMethod('random');
  expect(page.callsOf('widthImportance').map(([method]) => method)).toEqual(['flap', 'random']);
});

test('a cancelled measurement leaves no scores, and a refusal is the state of its key', async () => {
  page.does.widthImportance = () => new Promise(() => undefined);
  const measuring = page.commands.measureWidth('flap');
  page.commands.cancelTask('width:flap');
  await measuring;
  expect(state()).toMatchObject({ widthScores: {}, tasks: { 'width:flap': { phase: 'idle' } } });
  page.does.widthImportance = () => Promise.reject(new LabError('device-lost', 'The GPU is gone.', 'Reload.'));
  await page.commands.measureWidth('flap');
  expect(state().tasks['width:flap']).toMatchObject({ phase: 'failed', failure: { code: 'device-lost' } });
});

test('scores of another calibration are not shown', async () => {
  page.does.widthImportance = () => {
    page.store.setState({ calibration: { hash: 'other' } as never });
    return found;
  };
  await page.commands.measureWidth('flap');
  expect(state().widthScores).toEqual({});
});

test('heads and neurons are cut, undone and redone like blocks', async () => {
  await page.commands.chooseUnits('width');
  page.commands.toggleHeads(1, 0);
  const one = { ...emptyPlan('m'), keepHeads: [null, [1], null, null] };
  expect(state().plan).toEqual(one);
  page.commands.keepNeurons(2, 40);
  expect(state().plan?.keepNeurons?.[2]).toEqual(neurons.slice(8));
  page.commands.undo();
  expect(state().plan).toEqual(one);
  page.commands.redo();
  expect(state().plan?.keepNeurons?.[2]).toHaveLength(40);
  expect(state().draft?.shape.layers[2]?.ffn).toBe(40);
  page.commands.toggleHeads(1, 1);
  expect(state().plan?.keepHeads?.[1]).toEqual([1]); // the last head stays
});

test('a block that is cut and restored leaves the heads of the others as they are', () => {
  page.commands.toggleHeads(1, 0);
  page.commands.toggleBlock(3);
  expect(state().plan).toEqual({ ...without(model, 3), keepHeads: [null, [1], null, null] });
  page.commands.toggleBlock(3);
  page.commands.toggleSubBlock({ layer: 0, kind: 'mlp' });
  expect(state().plan).toEqual({ ...emptyPlan('m'), removeMlp: [0], keepHeads: [null, [1], null, null] });
});

test('without scores no neuron is removed', () => {
  page.commands.keepNeurons(2, 40);
  expect(state().plan).toEqual(emptyPlan('m'));
});

test('a method is asked only for options that it has', () => {
  const choice = { asPublished: true, sequential: true, roundTo: 32, heads: null, biases: true } as const;
  expect(widthRequest('wanda-sp', 0.2, choice)).toEqual({
    ...{ width: 'wanda-sp', ratio: 0.2, asPublished: true, sequential: true, roundTo: 32 },
  });
  expect(widthRequest('flap', 0.2, { ...choice, asPublished: false, roundTo: null, heads: 'groups' })).toEqual({
    ...{ width: 'flap', ratio: 0.2, heads: 'groups' },
  });
});

const proposed: PruningPlan = {
  ...{ ...emptyPlan('m'), keepNeurons: [neurons.slice(1), null, null, null], repair: 'flap-bias' },
  rule: { method: 'flap', ratio: 0.2 },
};

test('a proposal is shown without its repair, with its rule, and can be undone', async () => {
  page.does.plan = () => proposed;
  await page.commands.proposeWidth(0.2);
  const { repair: _repair, ...plan } = proposed;
  expect(page.callsOf('plan')[0]?.[0]).toEqual({ width: 'flap', ratio: 0.2 });
  expect(state().plan).toEqual(plan);
  page.does.plan = () => ({ ...proposed, rule: { method: 'flap', ratio: 0.2, asPublished: true } });
  await page.commands.proposeWidth(0.2);
  expect(state().plan?.rule).toMatchObject({ asPublished: true });
  page.commands.undo();
  expect(state().plan).toEqual(emptyPlan('m'));
});

test('a refused proposal changes nothing', async () => {
  page.does.plan = () => Promise.reject(new LabError('bad-argument', 'ratio: too large.', 'Give a smaller one.'));
  await page.commands.proposeWidth(0.8);
  expect(state()).toMatchObject({ plan: emptyPlan('m'), past: [], tasks: { widthPlan: { phase: 'failed' } } });
});

test('a repair measures before, makes a variant and shows it; without it the plan has the weights of the model', async () => {
  const plan = without(model, 1);
  page.show(model, { plan });
  const variant = {
    id: 'v7',
    name: 'v7',
    plan,
    parameters: 1,
    ratio: 0,
    shape: model.shape,
    recipe: [{ kind: 'repair' }],
    patchBytes: 3,
  };
  page.does.variant = () => variant;
  page.does.variants = () => [variant];
  await page.commands.repairPlan('replace-me');
  expect(page.callsOf('perplexity')[0]?.[0]).toEqual(plan);
  expect(page.callsOf('variant')[0]).toMatchObject([plan, { repair: 'replace-me' }]);
  expect(state()).toMatchObject({
    ownWeights: 'v7',
    repaired: { variant: 'v7', method: 'replace-me', before: { perplexity: 2 } },
  });
  page.commands.withoutRepair();
  expect(state()).toMatchObject({ ownWeights: null, plan });
});

test('a plan that was edited while it was repaired stays on the page', async () => {
  page.show(model, { plan: without(model, 1) });
  page.does.variant = () => {
    page.commands.toggleBlock(2);
    return { id: 'v7', plan: without(model, 1), recipe: [] };
  };
  await page.commands.repairPlan('replace-me');
  expect(state()).toMatchObject({ ownWeights: null, plan: without(model, 1, 2) });
});

test('FLAP’s biases are made with the proposal where the user wants them', async () => {
  page.does.plan = () => proposed;
  page.commands.chooseWidth({ biases: true });
  await page.commands.proposeWidth(0.2);
  expect(page.callsOf('variant')[0]?.[1]).toMatchObject({ repair: 'flap-bias' });
});

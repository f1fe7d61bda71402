import { expect, test } from 'vitest';
import { type TestPage, testModel, testPage, without } from '../testing/page';

const blocks = (page: TestPage): readonly number[] => page.store.getState().plan?.removeBlocks ?? [];
/** What is left over by the last change has happened. */
const rest = (): Promise<void> => new Promise((done) => setTimeout(done, 0));

async function visit(search: string): Promise<TestPage> {
  const page = testPage(`http://localhost/${search}`);
  await page.commands.boot();
  await rest();
  return page;
}

test('a lesson’s link opens the model with its criterion and its plan; undo leads to what was there before', async () => {
  const page = await visit('?model=demo&by=taylor&plan=1,2');
  expect(page.store.getState()).toMatchObject({ criterion: 'taylor', unitMode: 'blocks', addressNotes: [] });
  expect(blocks(page)).toEqual([1, 2]);
  expect(page.callsOf('perplexity').at(-1)?.[0]).toMatchObject({ removeBlocks: [1, 2] });
  expect(page.history).toEqual(['?model=demo&by=taylor&plan=1,2']);
  page.commands.undo();
  expect(blocks(page)).toEqual([]);
});

test('a cut and another criterion are entries of the history; back and forward apply theirs', async () => {
  const page = await visit('');
  expect(page.history).toEqual(['?model=demo&by=ppl']);
  page.commands.toggleBlock(1);
  await rest();
  page.commands.toggleBlock(3);
  await rest();
  await page.commands.chooseCriterion('magnitude');
  await rest();
  const written = ['?model=demo&by=ppl', '?model=demo&by=ppl&plan=1', '?model=demo&by=ppl&plan=1,3'];
  expect(page.history).toEqual([...written, '?model=demo&by=magnitude&plan=1,3']);
  page.goTo('?model=demo&by=ppl&plan=1');
  await rest();
  expect(blocks(page)).toEqual([1]);
  expect(page.store.getState().criterion).toBe('ppl');
  expect(page.history).toHaveLength(4); // what Back shows is not written again
  page.commands.undo();
  expect(blocks(page)).toEqual([1, 3]);
  page.goTo('?model=demo&by=ppl');
  await rest();
  expect(blocks(page)).toEqual([]);
});

test('the + rule is in the address: choosing it is a step, Back takes it back, and a link brings it', async () => {
  const page = await visit('?model=demo&by=taylor&plus');
  expect(page.store.getState()).toMatchObject({ criterion: 'taylor', plus: true });
  page.commands.choosePlus(false);
  await rest();
  expect(page.history.at(-1)).toBe('?model=demo&by=taylor');
  page.goTo('?model=demo&by=taylor&plus');
  await rest();
  expect(page.store.getState().plus).toBe(true);
  expect(page.history).toHaveLength(2);
});

test('looking at sub-blocks is no step; cutting one is', async () => {
  const page = await visit('');
  await page.commands.chooseUnits('subBlocks');
  await rest();
  expect(page.history).toEqual(['?model=demo&view=subblocks&by=ppl']);
  page.commands.toggleSubBlock({ kind: 'attention', layer: 2 });
  await rest();
  expect(page.history.at(-1)).toBe('?model=demo&view=subblocks&by=ppl&plan=2a');
});

test('after a reload the address counts, and a plan that it cannot hold stays the session’s', async () => {
  const page = await visit('');
  const { model } = page.store.getState();
  page.store.setState({ plan: { ...without(model!), keepNeurons: [[0, 1], null, null, null] } });
  await rest();
  expect(page.address.search).toBe('?model=demo&by=ppl&plan=session');
  expect(page.commands.lessonLink()).toBeNull();
  await page.commands.boot();
  expect(page.store.getState().plan?.keepNeurons?.[0]).toEqual([0, 1]);
  expect(page.store.getState().addressNotes).toEqual([]);
});

test('a rule of heads and neurons is asked for again', async () => {
  const page = testPage('http://localhost/?model=demo&view=width&by=flap&width=flap:0.25:round16');
  const rule = { method: 'flap', ratio: 0.25, roundTo: 16 };
  page.does.plan = () => ({ ...without(testModel('demo')), keepNeurons: [[0], null, null, null], rule });
  await page.commands.boot();
  await rest();
  expect(page.callsOf('plan')[0]?.[0]).toEqual({ width: 'flap', ratio: 0.25, roundTo: 16 });
  expect(page.address.search).toBe('?model=demo&view=width&by=flap&width=flap:0.25:round16');
  expect(page.commands.lessonLink()).toBe('http://localhost/?model=demo&view=width&by=flap&width=flap:0.25:round16');
});

test.each([
  ['plan=1,99', /^plan is ignored: .*block indices 0 to 3.*99/],
  ['plan=0-3', /^plan is ignored: The plan removes all 4 blocks/],
  ['plan=%3Cb%3E', /^plan is ignored: expected blocks/],
  ['by=constructor&plan=1', /^by is ignored: expected ppl/],
])('a bad part is ignored in words: %s', async (part, sentence) => {
  const page = await visit(`?model=demo&${part}`);
  expect(page.store.getState().model?.id).toBe('demo');
  expect(page.store.getState().addressNotes).toEqual([expect.stringMatching(sentence)]);
  expect(blocks(page)).toEqual(part.startsWith('by') ? [1] : []);
  page.commands.dismissAddressNotes();
  expect(page.store.getState().addressNotes).toEqual([]);
});

test('a lesson with a model of the Hub waits for the click, and then takes its plan', async () => {
  const page = await visit('?model=o/n&by=ppl&plan=2');
  expect(page.store.getState().link).toMatchObject({ name: 'o/n', reason: 'link' });
  expect(page.callsOf('loadForPage')).toEqual([]);
  expect(page.history).toEqual([]);
  await page.commands.loadModel('o/n');
  await rest();
  expect(blocks(page)).toEqual([2]);
  expect(page.history).toEqual(['?model=o/n@1&by=ppl&plan=2']);
  expect(page.commands.lessonLink()).toBe('http://localhost/?model=o/n@1&by=ppl&plan=2');
});

test('another model is an entry of its own, without the plan of the last; Back opens what is stored and asks about the rest', async () => {
  const page = await visit('?model=demo&by=ppl&plan=2');
  await page.commands.loadModel('o/n');
  await rest();
  expect(page.history).toEqual(['?model=demo&by=ppl&plan=2', '?model=o/n@1&by=ppl']);
  page.goTo('?model=demo&by=ppl&plan=2');
  await expect.poll(() => page.store.getState().model?.id).toBe('demo');
  await expect.poll(() => blocks(page)).toEqual([2]);
  const loads = page.callsOf('loadForPage').length;
  page.goTo('?model=o/n@1&by=ppl');
  await rest();
  expect(page.store.getState().link).toMatchObject({ name: 'o/n' });
  expect(page.callsOf('loadForPage')).toHaveLength(loads);
});

test('no file of this device and no script’s model comes into the address', async () => {
  const page = await visit('?model=demo&by=ppl&plan=1');
  page.does.loadForPage = () => testModel('files:my folder');
  await page.commands.loadModel([]);
  await rest();
  expect(page.address.search).toBe('');
  page.commands.toggleBlock(1);
  await rest();
  expect(page.address.search).toBe('');
  expect(page.commands.lessonLink()).toBeNull();
  const script = await visit('?model=');
  script.news.scriptLoad(testModel('demo'));
  await rest();
  script.commands.toggleBlock(1);
  await rest();
  expect(script.address.search).toBe('?model=');
});

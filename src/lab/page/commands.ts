/**
 * @file The page's verbs. A panel calls one of these and reads `labStore`; nothing else writes to the store.
 * Each starts its task, cancels an earlier one of the same key, and puts failures into `tasks`; none throws.
 */

import type { PrecisionRequest } from '../../benchmark/precision';
import { LabError } from '../../errors';
import type { Criterion, SearchId } from '../../importance/methods';
import { protectedBlocks, removalOrder } from '../../importance/order';
import type { SubBlock } from '../../model/unit';
import { applyPlan, estimate } from '../../pruning/apply';
import type { PruningPlan } from '../../pruning/plan';
import { emptyPlan, isEmptyPlan, planKey, planOfUnits, removedLayers, unitsOf } from '../../pruning/plan';
import { planOf, planOfSteps } from '../../pruning/select';
import { Recent } from '../../recent';
import type { ModelInfo } from '../../report/facts';
import type { PerplexityResult, Runtime } from '../../report/results';
import type { CalibrationInfo } from '../../report/texts';
import type { LoadOptions, Source } from '../contract/types';
import { describePlan } from '../contract/variants';
import { callsBesides, hearingOf, lab, loadForPage, onScriptLoad, onSilence } from './lab';
import { measure, measureSubBlocks } from './measuring';
import { type Opening, openings } from './opening';
import { loadSaved, type Saved, saveSoon } from './saved';
import { hubOverride, refreshStorage, rememberSource } from './sources';
import {
  type CalibrationChoice,
  type EvaluationChoice,
  initialState,
  type LabState,
  labStore,
  type TaskKey,
  type UnitMode,
  type WrittenText,
} from './store';
import { indicesOfBlocks, joined, planOfSubBlocks, withSubBlockToggled } from './subBlocks';
import {
  asCommand,
  cancelAll,
  cancelTask as cancelTaskOf,
  cancelThese,
  failTask,
  noteSilence,
  restartFor,
  runTask,
  type Task,
} from './tasks';
import { refreshTexts } from './textCommands';

export { limitMemory, measureKernels, profileKernels, refreshMemory, refreshTuning } from './kernelCommands';
export { measure, measureAll, measureSubBlocks, runEvolution, runSearch } from './measuring';
export {
  closePreview,
  forgetModel,
  forgetUnfinished,
  isOnHub,
  keepStored,
  previewModel,
  refreshStorage,
} from './sources';
export { dismissInterruption } from './tasks';
export { addText, refreshTexts } from './textCommands';

const { getState, setState } = labStore;

/** So many edited plans of the open model are remembered; the whole model's numbers are in the store as well. */
const mostPlans = 1000;
/** Perplexities of edited plans: undo and redo answer at once. */
const measured = new Recent<string, PerplexityResult>(mostPlans);
const texts = new Recent<string, WrittenText>(mostPlans);

/** A click waits this long for the next one before the engine starts. */
const settleMs = 120;
/** Held-out windows of a live perplexity, unless a person wants another number. */
const liveSamples = 16;
/** The same where a software adapter would let a click wait for many seconds. */
const emulatedSamples = 8;
/** Tokens of a text, and fewer where an emulated GPU takes seconds for one of a large model. */
const textTokens = 60;
const emulatedTextTokens = 20;
const largeModel = 2e8;
const firstPrompt = 'Once upon a time,';

/** What the page opened, until its first result makes it the model of the next visit. */
let notYetRemembered: string | null = null;

/** Loads another model; the open one stays until the new one is there. Resolves to whether it came. */
export async function loadModel(source: Source, options: LoadChoice = {}): Promise<boolean> {
  return (await asCommand('load', () => loadAndMeasure(source, options))) ?? false;
}

/** What a person, or the start of a visit, chose beside the source. */
type LoadChoice = Pick<LoadOptions, 'token' | 'changed' | 'stored'>;

async function loadAndMeasure(source: Source, options: LoadChoice): Promise<boolean> {
  let opening: Opening | null = null;
  try {
    const model = await runTask('load', async (task) => {
      opening = await beginOpening(source);
      return loadForPage(source, { changed: 'ask', ...task, ...hubOverride(), ...options });
    });
    await refreshStorage();
    if (!model) {
      const load = getState().tasks.load;
      const changed = load?.phase === 'failed' && load.failure.code === 'changed';
      setState({ changedSource: changed && typeof source === 'string' ? source : null });
      return false;
    }
    cancelAll(['load']);
    notYetRemembered = model.id.startsWith('files:') ? model.id : model.source;
    opening ??= await openings().begin(notYetRemembered);
    opening.reached('measuring');
    await open(model);
    await restore(model);
    await firstResults(opening);
    return true;
  } finally {
    (opening as Opening | null)?.end();
  }
}

/** A tab that dies from here on leaves a mark. Files from disk are marked once they are stored: before, nothing can open them. */
async function beginOpening(source: Source): Promise<Opening | null> {
  return typeof source === 'string' ? openings().begin(source.trim()) : null;
}

/** The first result is there: the model may be opened by itself at the next visit. */
function remember(): void {
  if (notYetRemembered === null) return;
  rememberSource(notYetRemembered);
  notYetRemembered = null;
  void openings()
    .ended()
    .then((marks) => openings().settle(marks));
}

/** From now on the page shows what a script opens. */
export function adoptScriptLoads(): void {
  onScriptLoad((model) => void asCommand('load', () => adopt(model)));
}

/**
 * A script opened a model through `lab`: the page shows it, measures nothing by itself and brings nothing back, so that
 * the script finds the session as new as it asked for it.
 */
async function adopt(model: ModelInfo): Promise<void> {
  notYetRemembered = null;
  cancelAll();
  await open(model);
}

async function open(model: ModelInfo): Promise<void> {
  const { device, unitMode, criterion, subBlockCriterion, plus, tasks } = getState();
  const { unfinished, storage, catalogue, catalogueFailure } = getState();
  const { corpora, calibrationChoice, evaluationChoice } = getState();
  measured.clear();
  texts.clear();
  const plan = emptyPlan(model.id);
  setState({
    ...initialState,
    ready: true,
    device,
    model,
    unitMode,
    criterion,
    subBlockCriterion,
    plus,
    unfinished,
    storage,
    catalogue,
    corpora,
    calibrationChoice,
    evaluationChoice,
    catalogueFailure,
    plan,
    draft: draftOf(model, plan),
    stored: await lab.stored(),
    tasks: { load: tasks.load ?? { phase: 'done' } },
    texts: { prompt: firstPrompt, base: null, variant: null },
  });
}

/** Brings back what an earlier session measured on the same bytes and adapter. */
async function restore(model: ModelInfo): Promise<void> {
  try {
    const kept = await loadSaved(getState());
    if (!kept) return;
    const { calibrationChoice, evaluationChoice } = await withoutDownload(kept);
    if (evaluationChoice !== kept.evaluationChoice) Object.assign(kept, { evaluationChoice, base: null, live: null });
    kept.calibrationChoice = calibrationChoice;
    await lab.restoreComparison(kept.comparison);
    const plan = kept.plan ?? emptyPlan(model.id);
    if (kept.base) measured.set(planKey(emptyPlan(model.id)), kept.base);
    if (kept.live) measured.set(kept.live.planKey, kept.live.result);
    setState({ ...kept, plan, draft: draftOf(model, plan), variants: await lab.variants() });
  } catch (thrown) {
    console.warn('The last session could not be restored; its numbers will be measured again.', thrown);
  }
}

/** The kept choices, without a text that is no longer stored: nothing is downloaded that nobody asked for now. */
async function withoutDownload(kept: Saved): Promise<Pick<Saved, 'calibrationChoice' | 'evaluationChoice'>> {
  const { calibrationChoice, evaluationChoice } = kept;
  const absent = (await lab.texts()).filter(({ kind, stored }) => kind === 'hub' && stored === null);
  const here = ({ corpus }: CalibrationChoice | EvaluationChoice) => absent.every(({ name }) => name !== corpus);
  return {
    calibrationChoice: here(calibrationChoice) ? calibrationChoice : {},
    evaluationChoice: here(evaluationChoice) ? evaluationChoice : {},
  };
}

/** Fast criteria first, so that the strip has colour within seconds; then perplexities; then text. */
async function firstResults(opening: Opening): Promise<void> {
  const { device, model } = getState();
  if (!model) return;
  const calibrated = await calibrateAsChosen();
  if (getState().model !== model) return;
  if (!calibrated) {
    if (opensWithoutPerplexity()) remember();
    return;
  }
  adoptCalibration(calibrated);
  void refreshTexts();
  await measureFast();
  if (!device) setState({ criterion: 'magnitude', subBlockCriterion: 'random' });
  await measureLive();
  await measureOnBuiltInIfNeeded();
  if (getState().model !== model) return;
  if (opensWithoutPerplexity()) remember();
  opening.reached('more');
  if (device && !getState().scores.ppl) await measure('ppl');
  if (model.tokenizer && getState().model === model) await write(getState().texts.prompt);
}

/** Refusals that say nothing against the model: it has no tokenizer, or the text could not be had. */
const harmless: ReadonlySet<string> = new Set([
  'bad-tokenizer',
  'bad-argument',
  'network',
  'missing-file',
  'bad-source',
]);

/** It opened, but there is no text that could be measured on it. */
function opensWithoutPerplexity(): boolean {
  const { tasks } = getState();
  return [tasks.calibrate, tasks.live].some((task) => task?.phase === 'failed' && harmless.has(task.failure.code));
}

/** Criteria that cost little, where they are not measured yet. */
async function measureFast(): Promise<void> {
  const fast: Criterion[] = getState().device ? ['block-influence', 'angular', 'magnitude'] : ['magnitude'];
  for (const criterion of fast) if (!getState().scores[criterion]) await measure(criterion);
}

/** On the chosen text; where the open model cannot use it, the built-in one, and the failure stays to be read. */
async function calibrateAsChosen(): Promise<CalibrationInfo | undefined> {
  const { calibrationChoice: choice } = getState();
  const calibrate = (asked: CalibrationChoice) =>
    runTask('calibrate', (task) => lab.calibrate({ ...asked, ...hubOverride(), ...task }));
  const calibrated = await calibrate(choice);
  if (calibrated || choice.corpus === undefined || !moveFailure('calibrate', 'text:calibration')) return calibrated;
  setState({ calibrationChoice: {} });
  return calibrate({});
}

/** The same for perplexities. */
async function measureOnBuiltInIfNeeded(): Promise<void> {
  const { base, evaluationChoice } = getState();
  if (base || evaluationChoice.corpus === undefined || !moveFailure('live', 'text:evaluation')) return;
  setState({ evaluationChoice: {} });
  await measureLive();
}

/** Shows a task's failure under another key; false where there is none. */
function moveFailure(from: TaskKey, to: TaskKey): boolean {
  const task = getState().tasks[from];
  if (task?.phase !== 'failed') return false;
  setState(({ tasks }) => ({ tasks: { ...tasks, [from]: { phase: 'idle' }, [to]: task } }));
  return true;
}

/** Scores and searches of other calibration tokens go. */
function adoptCalibration(calibrated: CalibrationInfo): void {
  if (calibrated.hash === getState().calibration?.hash) return;
  setState({ calibration: calibrated, scores: {}, subBlockScores: {}, searches: {}, evolution: null });
}

/** Calibrates on another text, and measures again what shows at once; the old text stays until the new one is there. */
export async function chooseCalibration(choice: CalibrationChoice): Promise<void> {
  await asCommand('text:calibration', () => calibrateOn(choice));
}

async function calibrateOn(choice: CalibrationChoice): Promise<void> {
  const { model, device } = getState();
  if (!model) return;
  const calibrated = await runTask('text:calibration', (task) =>
    lab.calibrate({ ...choice, ...hubOverride(), ...task }),
  );
  void refreshTexts();
  if (!calibrated || getState().model !== model) return;
  cancelThese((key) => /^(importance|halves|search):|^(survey|evolution|profile|calibrate)$/.test(key));
  setState({ calibrationChoice: choice });
  adoptCalibration(calibrated);
  saveSoon();
  await measureFast();
  await measureChosen();
  if (device && !getState().scores.ppl && getState().calibration === calibrated) await measure('ppl');
}

/** Measures perplexities on another text from now on; numbers on the old one are marked as such. */
export async function chooseEvaluation(choice: EvaluationChoice): Promise<void> {
  await asCommand('text:evaluation', () => evaluateOn(choice));
}

async function evaluateOn(choice: EvaluationChoice): Promise<void> {
  const { model } = getState();
  if (!model) return;
  const base = await runTask('text:evaluation', (task) => lab.perplexity('base', { ...task, ...heldOut(choice) }));
  void refreshTexts();
  if (!base || getState().model !== model) return;
  cancelThese((key) => key === 'live' || key === 'benchmark');
  measured.clear();
  measured.set(planKey(emptyPlan(model.id)), base);
  setState({ evaluationChoice: choice, base, live: null, comparison: await lab.comparison() });
  await measureLive();
}

/** Removes a stored text; what was measured on it stays, and what comes next is measured on the built-in one. */
export async function forgetText(name: string): Promise<void> {
  try {
    await lab.forgetText(name);
  } catch (thrown) {
    failTask('text:add', thrown);
  }
  await refreshTexts();
  const { calibrationChoice, evaluationChoice } = getState();
  if (calibrationChoice.corpus === name) await chooseCalibration({});
  if (evaluationChoice.corpus === name) await chooseEvaluation({});
}

function draftOf(model: ModelInfo, plan: PruningPlan): LabState['draft'] {
  const shape = applyPlan(model.shape, plan);
  return { shape, ...estimate(model.shape, shape) };
}

/** Stops a task; one that runs and does not stop goes with its worker, after a question where others would be lost. */
export function cancelTask(key: TaskKey): void {
  cancelTaskOf(key, laboratory);
}

const laboratory = { hearingOf, callsBesides, restart: () => lab.restart() };

/** The page says so, and offers to start again, where the worker has been silent for long. */
export function watchForSilence(): void {
  onSilence((silent) => noteSilence(silent, laboratory));
}

/** The answer to that question: end the worker. */
export async function restartLaboratory(): Promise<void> {
  const { interruption } = getState();
  if (interruption?.phase === 'asking') await restartFor(interruption.task, laboratory);
}

/** Chooses the criterion that colours and proposes; measures it when it is not there yet. */
export async function chooseCriterion(criterion: Criterion): Promise<void> {
  const { unitMode } = getState();
  setState(unitMode === 'blocks' ? { criterion } : { subBlockCriterion: criterion });
  saveSoon();
  await measureChosen();
}

/** Chooses what a click cuts; measures the chosen criterion of these units when it is not there yet. */
export async function chooseUnits(unitMode: UnitMode): Promise<void> {
  setState({ unitMode });
  saveSoon();
  if (getState().model) await measureChosen();
}

async function measureChosen(): Promise<void> {
  const { unitMode, criterion, subBlockCriterion, scores, subBlockScores, tasks } = getState();
  const idle = (key: keyof typeof tasks) => tasks[key]?.phase !== 'running';
  if (unitMode === 'blocks') {
    if (!scores[criterion] && idle(`importance:${criterion}`)) await measure(criterion);
  } else if (!joined(subBlockScores[subBlockCriterion] ?? {}) && idle(`halves:${subBlockCriterion}`)) {
    await measureSubBlocks(subBlockCriterion);
  }
}

export function choosePlus(plus: boolean): void {
  setState({ plus });
}

function edit(plan: PruningPlan): void {
  const { model, plan: before, past } = getState();
  if (!model || !before || planKey(plan) === planKey(before)) return;
  setState({ plan, past: [...past, before].slice(-mostPlans), future: [], draft: draftOf(model, plan) });
  follow();
}

/** Removes or restores one block. The live perplexity follows by itself. */
export function toggleBlock(block: number): void {
  const { model, plan } = getState();
  if (!model || !plan) return;
  const units = unitsOf(plan);
  const others = units.filter(({ kind, layer }) => kind !== 'block' || layer !== block);
  const isRemoved = others.length < units.length;
  if (!isRemoved && removedLayers(plan, 'block').length + 1 >= model.shape.layers.length) return; // the last block stays
  edit(planOfUnits(plan.model, isRemoved ? others : [...units, { kind: 'block', layer: block }]));
}

/** Removes or restores one attention or MLP. */
export function toggleSubBlock(subBlock: SubBlock): void {
  const { model, plan } = getState();
  const toggled = model && plan && withSubBlockToggled(plan, subBlock, model.shape.layers.length);
  if (toggled) edit(toggled); // the last half stays
}

type Ranking = Pick<
  LabState,
  'unitMode' | 'criterion' | 'subBlockCriterion' | 'scores' | 'subBlockScores' | 'plus' | 'model'
>;

/** The order in which the chosen criterion removes single blocks or halves, with or without the + rule. */
export function proposalOrder(state: Ranking): number[] {
  const { unitMode, scores, subBlockScores, model, plus } = state;
  if (!model) return [];
  const kept = plus ? protectedBlocks(model.shape.layers.length) : [];
  if (unitMode === 'blocks') return removalOrder(scores[state.criterion]?.scores ?? [], kept);
  return removalOrder(joined(subBlockScores[state.subBlockCriterion] ?? {})?.scores ?? [], indicesOfBlocks(kept));
}

/** Removes the `count` blocks or halves that the chosen criterion ranks lowest; at least one stays. */
export function proposeCount(count: number): void {
  const { model, unitMode } = getState();
  if (!model) return;
  const order = proposalOrder(getState());
  const layers = model.shape.layers.length;
  edit(
    unitMode === 'blocks'
      ? planOf(model.id, 'block', order.slice(0, Math.min(count, layers - 1)))
      : planOfSubBlocks(model.id, order.slice(0, Math.min(count, 2 * layers - 1))),
  );
}

/** Removes what a search's first `count` steps removed. */
export function applySearch(search: SearchId, count: number): void {
  const { model, searches } = getState();
  const steps = searches[search]?.steps;
  if (model && steps) edit(planOfSteps(model.id, steps.slice(0, count)));
}

/** Removes the set that the evolutionary search found. */
export function applyEvolution(): void {
  const { model, evolution } = getState();
  if (model && evolution) edit(planOfSteps(model.id, evolution.removed));
}

export function undo(): void {
  const { model, plan, past, future } = getState();
  const before = past.at(-1);
  if (!model || !plan || !before) return;
  setState({ plan: before, past: past.slice(0, -1), future: [plan, ...future], draft: draftOf(model, before) });
  follow();
}

export function redo(): void {
  const { model, plan, past, future } = getState();
  const [next, ...rest] = future;
  if (!model || !plan || !next) return;
  setState({ plan: next, past: [...past, plan], future: rest, draft: draftOf(model, next) });
  follow();
}

/** Restores every block. */
export function resetPlan(): void {
  const { model } = getState();
  if (model) edit(emptyPlan(model.id));
}

let settling: ReturnType<typeof setTimeout> | undefined;

/** After an edit: known numbers at once, else measure once the clicks have settled. */
function follow(): void {
  saveSoon();
  clearTimeout(settling);
  const known = showKnown();
  settling = setTimeout(() => void (known ? rewrite() : measureLive().then(rewrite)), settleMs);
}

function showKnown(): boolean {
  const { plan } = getState();
  if (!plan) return false;
  const key = planKey(plan);
  const result = measured.get(key);
  if (result) setState({ live: { planKey: key, result } });
  const written = texts.get(key);
  if (written) setState((state) => ({ texts: { ...state.texts, variant: { planKey: key, ...written } } }));
  return result !== undefined;
}

/** The tokens of every perplexity that the page shows: equal, so that its numbers compare. */
function heldOut(choice: EvaluationChoice = getState().evaluationChoice): EvaluationChoice & { hub?: string } {
  const samples = getState().device?.software ? emulatedSamples : liveSamples;
  return { samples, ...choice, ...hubOverride() };
}

/** Perplexity of the edited plan, and before it of the whole model when that is not known yet. */
async function measureLive(): Promise<void> {
  const { model, plan } = getState();
  if (!model || !plan) return;
  await runTask('live', async (task) => {
    const wanted = [...new Set([planKey(emptyPlan(model.id)), planKey(plan)])];
    for (const key of wanted) {
      if (measured.get(key)) continue;
      const whole = key === wanted[0];
      const result = await lab.perplexity(whole ? 'base' : plan, { ...task, ...heldOut() }).catch((thrown) => {
        // A broken block spoils the whole model, but no variant without it.
        if (whole && wanted.length > 1 && isNonFinite(thrown)) return null;
        throw thrown;
      });
      if (result === null) continue;
      if (task.signal.aborted || getState().model !== model) return;
      measured.set(key, result);
      if (whole) setState({ base: result, comparison: await lab.comparison() });
    }
  });
  if (getState().model !== model) return;
  if (getState().base !== null) remember();
  showKnown();
  saveSoon();
}

/** What benchmarks compute in from now on. */
export function choosePrecision(precision: PrecisionRequest): void {
  setState({ precision });
}

/** Makes the edited plan a variant and measures it with ONNX Runtime: latency, tokens per second, perplexity. */
export async function benchmarkDraft(): Promise<void> {
  const { model, plan } = getState();
  if (!model || !plan) return;
  await runTask('benchmark', async (task) => {
    const variant = isEmptyPlan(plan) ? null : await lab.variant(plan);
    setState({ variants: await lab.variants(), comparison: await lab.comparison() });
    if (!variant) return benchmarkOne('base', 'whole model', task);
    const base = (await lab.comparison()).find((row) => row.variant === 'base');
    const known = benchmarkRuntimes().every((runtime) => base?.perplexity[runtime]);
    const usable = known || (await isScored('base', 'whole model', task));
    await benchmarkOne(variant.id, describePlan(plan), task, usable ? 'base' : undefined);
  });
  await asCommand('benchmark', async () => {
    setState({ variants: await lab.variants(), comparison: await lab.comparison() });
  });
  saveSoon();
}

const updateComparison = async (): Promise<void> => setState({ comparison: await lab.comparison() });

const named = (name: string, { signal, onProgress }: Task): Task => ({
  signal,
  onProgress: (progress) => onProgress({ ...progress, stage: `${name}: ${progress.stage}` }),
});

/** Perplexities of one variant by the engine and by the runtime that is timed. */
async function scoreBoth(id: string, name: string, task: Task): Promise<void> {
  const how = { ...named(name, task), ...heldOut() };
  const { precision } = getState();
  for (const runtime of benchmarkRuntimes()) {
    await lab.perplexity(id, { ...how, runtime, precision }).then(updateComparison);
  }
}

/** What measures perplexities in a benchmark: the engine where there is a GPU, and the runtime that is timed. */
function benchmarkRuntimes(): Runtime[] {
  const { device, precision } = getState();
  const onGpu = device?.software === false || precision === 'f16';
  return [...(device ? (['wgsl'] as const) : []), onGpu ? 'ort-webgpu' : 'ort-wasm'];
}

/** The same, and whether there are any: a model with a broken block has none, and no time either. */
async function isScored(id: string, name: string, task: Task): Promise<boolean> {
  try {
    await scoreBoth(id, name, task);
    return true;
  } catch (thrown) {
    if (isNonFinite(thrown)) return false;
    throw thrown;
  }
}

const isNonFinite = (thrown: unknown): boolean => thrown instanceof LabError && thrown.code === 'non-finite';

/**
 * Perplexities and latency of one variant; the table fills as the numbers come. `against`: a variant that is timed in turns
 * with it, anew with each benchmark, since only what ran side by side gives a speed-up.
 */
async function benchmarkOne(id: string, name: string, task: Task, against?: string): Promise<void> {
  const { precision } = getState();
  await lab.latency(id, { ...named(name, task), precision, ...(against ? { against } : {}) }).then(updateComparison);
  await scoreBoth(id, name, task);
}

/** Saves a variant's ONNX graph and weights where the browser puts downloads. */
export async function downloadVariant(id: string): Promise<void> {
  const files = await runTask('export', (task) => lab.export(id, 'onnx', task));
  for (const file of files ?? []) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = file.name;
    link.click();
    // The browser reads it after the click.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }
}

export async function discardVariant(id: string): Promise<void> {
  try {
    await lab.discard(id);
    setState({ variants: await lab.variants(), comparison: await lab.comparison() });
    saveSoon();
  } catch (thrown) {
    failTask('benchmark', thrown);
  }
}

/** Text of the whole model and of the edited plan for a prompt. */
export async function write(prompt: string): Promise<void> {
  if (prompt !== getState().texts.prompt || texts.size === 0) {
    texts.clear();
    setState({ texts: { prompt, base: null, variant: null } });
  }
  await rewrite();
}

async function rewrite(): Promise<void> {
  const { model, plan, texts: shown } = getState();
  if (!model?.tokenizer || !plan || shown.prompt === '') return;
  await runTask('generate', async (task) => {
    const whole = emptyPlan(model.id);
    for (const target of isEmptyPlan(plan) ? [whole] : [whole, plan]) {
      const key = planKey(target);
      if (texts.has(key)) continue;
      let over = false;
      const show = (written: WrittenText): void => {
        if (over || task.signal.aborted || getState().model !== model) return;
        const { texts: before } = getState();
        setState({
          texts: isEmptyPlan(target)
            ? { ...before, base: written }
            : { ...before, variant: { planKey: key, ...written } },
        });
      };
      const { text, device } = await lab.generate(isEmptyPlan(target) ? 'base' : target, shown.prompt, {
        newTokens: getState().device?.software && model.parameters > largeModel ? emulatedTextTokens : textTokens,
        temperature: 0,
        signal: task.signal,
        onProgress: (progress) => {
          task.onProgress(progress);
          if (progress.text) show({ text: progress.text, by: null });
        },
      });
      if (task.signal.aborted || getState().model !== model) return;
      texts.set(key, { text, by: device });
      show({ text, by: device });
      over = true; // a report may arrive behind the answer
    }
    showKnown();
  });
}

/** @file A training's turn on the GPU: from its beginning or its checkpoint to its end, or until someone wants it to let go. */
import type { Engine } from '../../../engine/engine';
import type { LoraTrainer } from '../../../engine/train/loraTrainer';
import type { Trainer } from '../../../engine/train/trainer';
import { LabError, throwIfAborted } from '../../../errors';
import type { ModelView } from '../../../model/view';
import { fileOf } from '../../../repair/tensors';
import { trainingCurves } from '../../../report/trainingCurves';
import { train } from '../../../retrain/train';
import type { TaskOptions } from '../../../task';
import { toFailure } from '../../contract/failure';
import type { RetrainResult } from '../../contract/retraining';
import type { Gpu } from '../gpu';
import { outOfMemory, trainingMemoryOf } from '../trainingMemory';
import type { TrainingData } from '../trainingRows';
import type { Workspace } from '../workspace';
import type { SavedState, SaveState } from './checkpoints';
import type { Gate } from './gate';
import { distillOf, loraOf, type Phase, phasesOf } from './phases';
import { aboutOf, inputOf } from './record';
import { adapterOf, recipeStep, resultTensors } from './result';
import { type Checkpoint, evaluateEvery, type TrainingRun, type Wish } from './run';
import { frozenView, trainedView } from './views';

/** By default a checkpoint twice a minute, and at most a tenth of the time for them. */
export const intervalSetting = { seconds: 30, share: 0.1 };

/** Everything that one turn needs. */
interface Turn {
  readonly run: TrainingRun;
  readonly workspace: Workspace;
  readonly gate: Gate;
  /** Null where it only ends, and its text is not there any more. */
  readonly data: TrainingData | null;
  readonly phases: readonly Phase[];
  readonly before: ModelView;
  /** Of this turn alone: its engine closes with it. */
  readonly view: ModelView;
  readonly engine: Engine;
  /** Distillation follows the base's predictions. */
  readonly teacher: Engine | null;
  readonly task: TaskOptions;
  /** States of the earlier phases. */
  readonly states: SavedState[];
  /** When the last checkpoint was stored or tried, and how long that took; ms. */
  last: { at: number; took: number; step: number };
  /** The wish that it has heard. */
  heard: Wish | null;
}

/** The result, or the wish that the training followed, with a checkpoint. Throws what the training fails with. */
export async function conduct(
  run: TrainingRun,
  workspace: Workspace,
  gpu: Gpu,
  gate: Gate,
  task: TaskOptions,
): Promise<RetrainResult | Wish> {
  const { data } = run;
  if (data === null && run.wish !== 'keep') throw new RangeError('a training begins its turn with its rows');
  const before = workspace.variants.view(run.facts.source.id);
  const phases = phasesOf(run.facts.request);
  const view = phases.some(({ trains }) => trains === 'weights') ? trainedView(before) : frozenView(before);
  // Kernels that change on the way would change the last bits, and a measurement beside a step would be wrong.
  return gpu.tuning.undisturbed(async () => {
    try {
      const engine = await engineOf(gpu, task, view);
      const teacher = distillOf(run.facts.request) === null ? null : await engineOf(gpu, task);
      const last = { at: performance.now(), took: 0, step: run.step };
      return await allPhases({
        ...{ run, workspace, gate, data, phases, before, view, engine, teacher, task, states: [], last, heard: null },
      });
    } catch (thrown) {
      if (!(thrown instanceof LabError && thrown.code === 'out-of-memory')) throw thrown;
      const { id } = run.facts.source;
      throw outOfMemory(thrown, await trainingMemoryOf(workspace, gpu, id, run.facts.request));
    } finally {
      await gpu.close(view);
    }
  }, task.signal);
}

async function engineOf(gpu: Gpu, task: TaskOptions, view?: ModelView): Promise<Engine> {
  const handle = await gpu.engine(task, view);
  if (handle !== null) return handle.engine;
  throw new LabError(
    'no-webgpu',
    'Training runs on the GPU, and this browser has no WebGPU.',
    'Open the page in a browser with WebGPU.',
  );
}

async function allPhases(turn: Turn): Promise<RetrainResult | Wish> {
  const { run, phases } = turn;
  const begin = run.checkpoint?.phase ?? 0;
  for (let index = 0; index < phases.length; index++) {
    const state = run.checkpoint?.states[index] ?? null;
    const trainer = trainerOf(turn, index);
    try {
      if (state !== null) await trainer.restore(run.checkpoints.read(state), turn.task);
      if (index < begin) {
        if (state !== null) turn.states.push(state);
        continue;
      }
      if (turn.data === null) turn.heard = run.wish;
      else await trainPhase(turn, turn.data, index, trainer);
      const atEnd = run.step >= run.facts.request.steps;
      if (turn.heard === 'keep' || atEnd) return await finish(turn, index, trainer);
      if (turn.heard !== null) {
        await letGo(turn, index, trainer);
        return turn.heard;
      }
      turn.states.push(await weightsOf(turn, trainer));
    } finally {
      trainer.close();
    }
  }
  throw new RangeError('the last phase ends the training');
}

function trainerOf({ run, phases, engine }: Turn, index: number): Trainer | LoraTrainer {
  const { request, seed } = run.facts;
  const lora = loraOf(request);
  if (phases[index]!.trains === 'weights' || lora === null) return engine.trainer();
  return engine.loraTrainer({ ...lora, seed });
}

/** What a phase leaves to the next one. Where the storage refuses, it stays in memory until a checkpoint is stored. */
async function weightsOf({ run, task }: Turn, trainer: Trainer): Promise<SavedState> {
  const save: SaveState = (onPart) => trainer.save(onPart, task);
  const { checkpoints } = run;
  if (!run.stored) return checkpoints.hold(save, trainer.steps, true);
  return checkpoints.write(save, trainer.steps, true).catch((thrown: unknown) => {
    if (!isRefusal(thrown)) throw thrown;
    return checkpoints.hold(save, trainer.steps, true);
  });
}

async function trainPhase(turn: Turn, data: TrainingData, index: number, trainer: Trainer): Promise<void> {
  const { run, phases, before, engine, teacher, task } = turn;
  const { request } = run.facts;
  const { first, steps, learningRate } = phases[index]!;
  const distill = distillOf(request);
  await train({
    ...task,
    ...(distill && teacher && { distill: { ...distill, teacher } }),
    ...{ trainer, rows: data.rows, batch: request.batch, steps, learningRate, record: run.record },
    part: { first, total: request.steps },
    seed: data.order,
    ...{ warmup: request.warmup ?? 0, schedule: request.schedule ?? 'constant', clip: request.clip ?? 1 },
    optimizer: {
      ...{ beta1: request.beta1 ?? 0.9, beta2: request.beta2 ?? 0.999, epsilon: 1e-8 },
      weightDecay: request.weightDecay ?? 0,
    },
    evaluateEvery: evaluateEvery(request),
    async evaluate() {
      const began = performance.now();
      const perplexity = await perplexityOf(engine, before, data, task);
      run.pace.evaluated((performance.now() - began) / 1000);
      return perplexity;
    },
    async goOn() {
      run.pace.mark(run.record);
      await turn.gate.pass(() => run.wish !== null || task.signal?.aborted === true);
      throwIfAborted(task.signal, 'The training');
      turn.heard = run.wish;
      if (turn.heard !== null) return false;
      if (isDue(turn)) await store(turn, index, trainer);
      return true;
    },
  });
}

/** Whether a checkpoint is to be stored now. */
function isDue({ run, last }: Turn): boolean {
  const { step } = run;
  const { checkpointEvery, steps } = run.facts.request;
  if (step === last.step || step >= steps) return false;
  if (checkpointEvery !== undefined) return step % checkpointEvery === 0;
  return performance.now() - last.at >= Math.max(intervalSetting.seconds * 1000, last.took / intervalSetting.share);
}

/** Stores a checkpoint. Where the storage refuses, the training goes on, says so, and keeps the one before. */
async function store(turn: Turn, phase: number, trainer: Trainer): Promise<boolean> {
  const { run, last, task } = turn;
  const { checkpoints } = run;
  const began = performance.now();
  try {
    if (!run.stored) await checkpoints.add(aboutOf(run, null), inputOf(run));
    run.stored = true;
    for (const [at, state] of turn.states.entries()) turn.states[at] = await checkpoints.persist(state);
    const state = await checkpoints.write((onPart) => trainer.save(onPart, task), trainer.steps);
    const checkpoint = checkpointNow(turn, phase, state);
    run.failure = null;
    await checkpoints.commit(aboutOf(run, checkpoint), checkpoint.states);
    run.checkpoint = checkpoint;
    run.storedStep = checkpoint.step;
    run.recovered = false;
    return true;
  } catch (thrown) {
    if (!isRefusal(thrown)) throw thrown;
    console.warn('The checkpoint of a training could not be stored.', thrown);
    run.failure = toFailure(thrown);
    return false;
  } finally {
    const now = performance.now();
    turn.last = { ...last, at: now, took: now - began, step: run.step };
  }
}

/** Of the storage: the training itself is well. */
const refusals: readonly LabError['code'][] = ['quota', 'storage', 'not-found'];

function isRefusal(thrown: unknown): thrown is LabError {
  return thrown instanceof LabError && refusals.includes(thrown.code);
}

function checkpointNow({ run, states }: Turn, phase: number, state: SavedState): Checkpoint {
  const { losses, evaluations, tokens, seconds } = run.record;
  return {
    phase,
    states: [...states, state],
    ...{ step: losses.length, evaluations: evaluations.length, tokens, seconds },
  };
}

/** Keeps the state for later: stored, or in this tab's memory where the storage refuses. */
async function letGo(turn: Turn, phase: number, trainer: Trainer): Promise<void> {
  const { run, task } = turn;
  if (run.step === (run.checkpoint?.step ?? 0)) return;
  if (await store(turn, phase, trainer)) return;
  const state = await run.checkpoints.hold((onPart) => trainer.save(onPart, task), trainer.steps);
  run.checkpoint = checkpointNow(turn, phase, state);
}

/** The variant of the weights as they are. If it cannot be made, the state is kept: the training may end again. */
async function finish(turn: Turn, index: number, trainer: Trainer): Promise<RetrainResult> {
  const { run, workspace, data, before, engine, task } = turn;
  const { source } = run.facts;
  const { losses, evaluations } = run.record;
  if (data !== null && evaluations.at(-1)?.step !== run.step) {
    // Weights that diverge may be kept; there is no number for them.
    const perplexity = await perplexityOf(engine, before, data, task).catch(nullIfNotFinite);
    if (perplexity !== null) evaluations.push({ step: run.step, perplexity });
  }
  const { own } = workspace.variants.draft(source.id);
  const tensors = await resultTensors({ engine, before, own, view: turn.view, trainer }, task);
  try {
    const adapter = await adapterOf(run, trainer, task);
    const variant = await workspace.variants.addMade(
      {
        ...{ plan: source.plan, recipe: [...source.recipe, recipeStep(run)], patch: fileOf(tensors), justMade: true },
        ...{ name: run.facts.request.name ?? `${source.name}, retrained`, parent: source.id },
        training: trainingCurves(run.record, data?.heldOut.text),
        ...(adapter && { adapter }),
      },
      task,
    );
    return { variant, losses: [...losses], evaluations: [...evaluations] };
  } catch (thrown) {
    if (task.signal?.aborted !== true) await letGo(turn, index, trainer);
    throw thrown;
  }
}

async function perplexityOf(
  engine: Engine,
  { shape }: ModelView,
  { heldOut: { tokens: sequences, firstTargets } }: TrainingData,
  { signal }: TaskOptions,
): Promise<number> {
  const { sumNll, tokens } = await engine.score(shape.layers, sequences, { signal, firstTargets });
  return Math.exp(sumNll.reduce((a, b) => a + b, 0) / tokens);
}

function nullIfNotFinite(thrown: unknown): null {
  if (thrown instanceof LabError && thrown.code === 'non-finite') return null;
  throw thrown;
}

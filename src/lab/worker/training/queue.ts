/** @file The trainings of the open model: one at a time on the GPU, the others wait, pause, or rest in the storage. */
import { abortedError, LabError, toLabError, unlessAborted } from '../../../errors';
import { newOwner } from '../../../io/locks';
import { baseViewId } from '../../../model/view';
import type { TaskOptions } from '../../../task';
import { Turns } from '../../../turns';
import { gpuBudget } from '../../contract/deviceBudget';
import { toFailure } from '../../contract/failure';
import type { RetrainRequest, RetrainResult, TrainingInfo, TrainingPhase } from '../../contract/retraining';
import type { Plain } from '../../contract/workerSession';
import type { Gpu } from '../gpu';
import { refuseForMemory } from '../trainingMemory';
import { trainingData } from '../trainingRows';
import type { Workspace } from '../workspace';
import { Checkpoints } from './checkpoints';
import { conduct } from './conduct';
import { Gate } from './gate';
import { checkMethod } from './phases';
import { EndedElsewhere, makeReady, own, sourceOf } from './ready';
import { aboutOf, inputOf, runOf } from './record';
import { TrainingRun, type Wish } from './run';

/** How old the list of the storage may be, ms: another tab may have ended a training, or left one. */
const listedFor = 1_000;

export class Trainings {
  readonly #workspace: Workspace;
  readonly #gpu: Gpu;
  /** In the order of their turns. */
  #runs: TrainingRun[] = [];
  #running: { readonly run: TrainingRun; readonly over: Promise<void> } | null = null;
  /** How many hold the queue up: the engine is about to close. */
  #held = 0;
  readonly #closing = new AbortController();
  readonly #gate = new Gate();
  readonly #entering = new Turns();
  #listed = 0;

  constructor(workspace: Workspace, gpu: Gpu) {
    this.#workspace = workspace;
    this.#gpu = gpu;
  }

  /** Finds the trainings of earlier sessions. Where the storage does not tell, there are none. */
  async open(): Promise<void> {
    await this.#list().catch((thrown: unknown) => console.warn('The stored trainings could not be listed.', thrown));
  }

  list(): TrainingInfo[] {
    if (performance.now() - this.#listed > listedFor) void this.open(); // for the next time
    const place: Record<TrainingPhase, number> = { running: 0, waiting: 1, paused: 2, interrupted: 3, failed: 3 };
    return this.#runs.toSorted((a, b) => place[a.phase] - place[b.phase]).map((run) => run.info());
  }

  /** Trains a variant when its turn comes. A signal that fires ends the training and leaves nothing of it. */
  async retrain(task: TaskOptions, id: string, request: Plain<RetrainRequest>): Promise<RetrainResult> {
    checkMethod(request);
    // Rows are made one after the other, so that trainings take their turns in the order of the calls.
    const entering = this.#entering.take(() => this.#enter(task, id, request), task.signal, 'The training');
    const run = await entering;
    return this.#join(run, task, () => this.#drop(run, abortedError('The training')));
  }

  /** A training with its rows, in the queue and in the storage. */
  async #enter(task: TaskOptions, id: string, request: Plain<RetrainRequest>): Promise<TrainingRun> {
    const { model, variants } = this.#workspace;
    const source = sourceOf(variants.get(id));
    const budget = gpuBudget(await this.#gpu.device());
    refuseForMemory(variants.view(id), variants.view(baseViewId), request, budget);
    const { signal } = task;
    const preparing = { ...task, signal: this.#orClosing(signal) };
    if ((await this.#gpu.context(signal)) === null) throw needsGpu();
    const data = await trainingData(this.#workspace, this.#gpu, preparing, request);
    const { text, seed, heldOut } = data;
    const name = `t${newOwner()}`;
    const checkpoints = new Checkpoints(model.trainings, model.info, name);
    const run = new TrainingRun(
      { id: name, source, request, seed, text, heldOutHash: heldOut.text.hash, created: Date.now() },
      checkpoints,
    );
    run.data = data;
    run.unlock = await checkpoints.holdLock();
    await checkpoints.add(aboutOf(run, null), inputOf(run)).then(
      () => {
        run.stored = true;
      },
      (thrown: unknown) => console.warn('The training could not be stored; its checkpoints are tried later.', thrown),
    );
    if (this.#closing.signal.aborted) {
      run.unlock?.();
      throw closedError();
    }
    this.#runs.push(run);
    return run;
  }

  /** Goes on with a training. A signal that fires pauses it again. */
  async resume(task: TaskOptions, id: string): Promise<RetrainResult> {
    const run = this.#find(id);
    if (run.phase === 'running' && run.wish === 'pause') run.wish = null;
    if (run.phase === 'paused' || run.phase === 'interrupted' || run.phase === 'failed') {
      await this.#makeReady(run, task, true);
      this.#enqueue(run);
    }
    return this.#join(run, task, () => void this.pause(id).catch(() => undefined));
  }

  async pause(id: string): Promise<void> {
    const run = this.#find(id);
    if (run.phase === 'waiting') run.phase = 'paused';
    if (run.phase !== 'running') return;
    const yields = run.wish === 'yield';
    run.wish ??= 'pause';
    await this.#running?.over;
    if (yields && (run.phase as TrainingPhase) === 'waiting') run.phase = 'paused';
  }

  /** Ends a training. `keep`: its weights as they are become a variant; without a step there is none. */
  async stop(id: string, keep: boolean): Promise<void> {
    const run = this.#find(id);
    const made = run.phase === 'running' ? run.step : (run.checkpoint?.step ?? 0);
    if (!keep || made === 0) {
      await own(run);
      const over = this.#running?.run === run ? this.#running.over : null;
      this.#drop(run, abortedError('The training'));
      await over;
      await run.checkpoints.remove();
      return;
    }
    if (run.phase !== 'running') {
      await this.#makeReady(run, {}, false);
      this.#enqueue(run);
    }
    run.wish = 'keep';
    const ended = run.outcome;
    this.#advance();
    await ended;
  }

  /** Has the training that runs let the engine go, with a checkpoint, and begins none until `release`. */
  async suspend(): Promise<void> {
    this.#held += 1;
    const running = this.#running;
    if (running === null) return;
    running.run.wish ??= 'yield';
    await running.over;
  }

  release(): void {
    this.#held -= 1;
    this.#advance();
  }

  /** Runs `work` while no training makes a step: for measurements that steps would falsify. The training keeps what it has on the GPU. */
  async undisturbed<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#gate.closed += 1;
    try {
      await unlessAborted(this.#gate.reached(), signal, 'Waiting for a step of a training to end');
      return await work();
    } finally {
      this.#gate.closed -= 1;
      this.#advance();
    }
  }

  /** The model is closed: what is stored goes on when it is opened again. After `suspend`. */
  close(): void {
    this.#closing.abort();
    for (const run of this.#runs) {
      run.unlock?.();
      run.reject(closedError());
    }
    this.#runs = [];
  }

  #find(id: string): TrainingRun {
    const run = this.#runs.find((each) => each.id === id);
    if (run) return run;
    const known = this.#runs.map((each) => each.id).join(', ') || 'none';
    throw new LabError('not-found', `No training has the id '${id}' (trainings: ${known}).`, 'See lab.trainings().');
  }

  #enqueue(run: TrainingRun): void {
    run.phase = 'waiting';
    run.failure = null;
    run.recovered = false;
    this.#runs = [...this.#runs.filter((each) => each !== run), run];
  }

  /** Waits with the others for the end. The turn begins once all is in place. */
  async #join(run: TrainingRun, task: TaskOptions, onAbort: () => void): Promise<RetrainResult> {
    const silence = run.listen(task.onProgress);
    task.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const { outcome } = run;
      if (task.signal?.aborted) onAbort();
      this.#advance();
      if (run.phase === 'waiting') {
        const { steps } = run.facts.request;
        task.onProgress?.({ stage: 'Waiting for another training', done: run.step, total: steps, unit: 'steps' });
      }
      return await unlessAborted(outcome, task.signal, 'The training');
    } finally {
      task.signal?.removeEventListener('abort', onAbort);
      silence();
    }
  }

  /** The next one that waits has its turn, unless one runs. */
  #advance(): void {
    if (this.#held > 0 || this.#gate.closed > 0 || this.#running !== null || this.#closing.signal.aborted) return;
    const run = this.#runs.find((each) => each.phase === 'waiting');
    if (run === undefined) return;
    run.phase = 'running';
    run.controller = new AbortController();
    this.#gate.enter();
    const over = this.#turn(run).finally(() => {
      this.#running = null;
      this.#gate.leave();
      this.#advance();
    });
    this.#running = { run, over };
  }

  /** Never rejects. */
  async #turn(run: TrainingRun): Promise<void> {
    const task = { signal: run.controller.signal, onProgress: run.onProgress };
    for (;;) {
      try {
        const ended = await conduct(run, this.#workspace, this.#gpu, this.#gate, task);
        if (typeof ended === 'string') this.#letGo(run, ended);
        else await this.#finished(run, ended);
        return;
      } catch (thrown) {
        if (!this.#runs.includes(run)) return; // dropped: its callers know
        const failure = toLabError(thrown);
        const lost = failure.code === 'device-lost';
        run.rewind();
        if (lost && !run.recovered) {
          run.recovered = true; // once, on a new device
          continue;
        }
        await this.#failed(run, failure, lost ? 'interrupted' : 'failed');
        return;
      }
    }
  }

  #letGo(run: TrainingRun, heard: Wish): void {
    // Somebody may have asked for it again meanwhile.
    const pauses = heard === 'pause' && run.wish === 'pause';
    run.wish = null;
    run.rewind();
    run.phase = pauses ? 'paused' : 'waiting';
    // One that was asked to yield has its turn first again.
    if (!pauses) this.#runs = [run, ...this.#runs.filter((each) => each !== run)];
  }

  async #finished(run: TrainingRun, result: RetrainResult): Promise<void> {
    if (!this.#runs.includes(run)) {
      await this.#workspace.variants.discard(result.variant.id); // it was stopped at the last moment
      return;
    }
    this.#runs = this.#runs.filter((each) => each !== run);
    await run.checkpoints.remove().catch((thrown: unknown) => {
      console.warn('The checkpoint of a training that has ended could not be removed.', thrown);
    });
    run.unlock?.();
    run.resolve(result);
  }

  async #failed(run: TrainingRun, failure: LabError, phase: 'interrupted' | 'failed'): Promise<void> {
    run.phase = phase;
    run.wish = null;
    run.failure = toFailure(failure);
    await this.#rest(run).catch((thrown: unknown) => {
      console.warn('The storage could not be told that a training has failed.', thrown);
    });
    run.unlock?.();
    run.unlock = null;
    run.reject(failure);
  }

  /** What failed without a stored checkpoint is not stored: another session could only fail again. */
  async #rest(run: TrainingRun): Promise<void> {
    if (!run.stored) return;
    const { checkpoint, checkpoints } = run;
    if (run.storedStep === null && run.phase === 'failed') {
      run.stored = false;
      await checkpoints.remove();
    } else if (checkpoint === null || checkpoint.step === run.storedStep) {
      await checkpoints.commit(aboutOf(run, checkpoint), checkpoint?.states ?? []);
    }
  }

  /** Forgets a training that does not run, or ends the turn of the one that does. */
  #drop(run: TrainingRun, why: LabError): void {
    if (!this.#runs.includes(run)) return;
    this.#runs = this.#runs.filter((each) => each !== run);
    run.controller.abort();
    run.reject(why);
    const over = this.#running?.run === run ? this.#running.over : Promise.resolve();
    const removed = over.then(() => run.checkpoints.remove()).finally(() => run.unlock?.());
    removed.catch((thrown: unknown) => console.warn('A stopped training could not be removed.', thrown));
  }

  /** Has a training ready for its next turn; one that ended elsewhere is forgotten. */
  async #makeReady(run: TrainingRun, task: TaskOptions, toTrain: boolean): Promise<void> {
    try {
      const asked = { ...task, signal: this.#orClosing(task.signal) };
      await makeReady(this.#workspace, this.#gpu, run, asked, toTrain);
    } catch (thrown) {
      if (thrown instanceof EndedElsewhere) this.#runs = this.#runs.filter((each) => each !== run);
      throw thrown;
    }
  }

  #orClosing(signal: AbortSignal | undefined): AbortSignal {
    const closing = this.#closing.signal;
    return signal === undefined ? closing : AbortSignal.any([signal, closing]);
  }

  async #list(): Promise<void> {
    this.#listed = performance.now();
    const { model } = this.#workspace;
    const [stored, held] = await Promise.all([model.trainings.list(model.info), model.trainings.held(model.info)]);
    const known = new Set(this.#runs.map(({ id }) => id));
    const found = stored
      .filter(({ run }) => !known.has(run) && !held(run))
      .flatMap((each) => runOf(each, (run) => new Checkpoints(model.trainings, model.info, run)) ?? [])
      .sort((a, b) => a.facts.created - b.facts.created);
    const there = new Set(stored.map(({ run }) => run));
    // Those that rest are in the storage as long as no tab works on them.
    const gone = (run: TrainingRun): boolean =>
      run.unlock === null && run.stored && (!there.has(run.id) || held(run.id));
    this.#runs = [...this.#runs.filter((run) => !gone(run)), ...found];
    this.#listed = performance.now();
  }
}

function closedError(): LabError {
  return new LabError(
    'aborted',
    'The training stopped because its model was closed. Its checkpoint is stored.',
    'Open the model again; lab.trainings() lists the training, and lab.resumeTraining goes on with it.',
  );
}

function needsGpu(): LabError {
  return new LabError(
    'no-webgpu',
    'Training runs on the GPU, and this browser has no WebGPU.',
    'Open the page in a browser with WebGPU.',
  );
}

/** @file A view that is open on the lanes: what its tasks work with, and how they run. */
import { LabError } from '../errors';
import type { ModelView } from '../model/view';
import type { TokenSequences } from '../numerics/tokens';
import type { TaskOptions } from '../task';
import type { LaneName, Lanes } from './lanes';
import { Forward } from './pass/forward';
import type { EngineParts } from './pass/runtime';
import { checkSequences } from './pass/sequences';
import type { ModelWeights } from './weights/modelWeights';

const laneNames: readonly LaneName[] = ['answers', 'analysis'];

/** What does not change from task to task. */
type ViewParts = Omit<EngineParts, 'sweepBytes' | 'inputBytes' | 'logitBytes'>;

export class OpenView {
  readonly lanes: Lanes;
  readonly view: ModelView;
  readonly #weights: ModelWeights;
  readonly #parts: Readonly<Record<LaneName, ViewParts>>;
  /** Fires when the view closes. */
  readonly #closing = new AbortController();
  readonly #isBase: boolean;
  /** Tasks at work or waiting. */
  #tasks = 0;
  #whenIdle: (() => void)[] = [];
  #lastUsed = performance.now();

  private constructor(lanes: Lanes, view: ModelView, weights: ModelWeights, isBase: boolean) {
    this.lanes = lanes;
    this.view = view;
    this.#weights = weights;
    this.#isBase = isBase;
    this.#parts = { answers: this.#partsOn('answers'), analysis: this.#partsOn('analysis') };
  }

  /** Uploads what the view does not share with the open ones. */
  static async open(lanes: Lanes, view: ModelView, task: TaskOptions, isBase = false): Promise<OpenView> {
    const weights = await lanes.weights.open(view, task);
    try {
      const open = new OpenView(lanes, view, weights, isBase);
      await lanes.pipelines.prepare([...open.parts('answers').forward.kernels()]);
      return open;
    } catch (thrown) {
      weights.close();
      throw thrown;
    }
  }

  #partsOn(name: LaneName): ViewParts {
    const { context, choice } = this.lanes;
    const { queue, buffers, ropeTables } = this.lanes[name];
    const { shape } = this.view;
    const blocks = this.#weights.blocks.reader(queue);
    const parts = { context, shape, buffers, queue, weights: this.#weights, blocks, choice, ropeTables };
    return { ...parts, forward: new Forward(parts) };
  }

  parts(name: LaneName): EngineParts {
    return { ...this.#parts[name], ...this.lanes.memory };
  }

  /** A task is at work or waiting. */
  get busy(): boolean {
    return this.#tasks > 0;
  }

  get lastUsed(): number {
    return this.#lastUsed;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted || this.lanes.disposed;
  }

  /** One task at a time on a lane: its queue and pool belong to the task until it ends. A task that waits for its turn may leave. */
  async run<T>(
    name: LaneName,
    options: TaskOptions,
    sequences: TokenSequences | null,
    task: (parts: EngineParts) => Promise<T>,
  ): Promise<T> {
    const signal = this.#signal(options.signal);
    const run = async (): Promise<T> => {
      if (sequences !== null) checkSequences(sequences, this.view.shape.vocab);
      for (;;) {
        try {
          return await this.#attempt(name, signal, task);
        } catch (thrown) {
          if (!(await this.lanes.makeRoom(thrown, signal))) throw thrown;
        }
      }
    };
    this.#tasks += 1;
    try {
      return await this.lanes[name].turns.take(run, signal, 'Waiting for the engine');
    } catch (thrown) {
      const cancelled = thrown instanceof LabError && thrown.code === 'aborted';
      throw cancelled && this.closed && options.signal?.aborted !== true ? closedError() : thrown;
    } finally {
      this.#ended();
    }
  }

  #ended(): void {
    this.#tasks -= 1;
    this.#lastUsed = performance.now();
    if (this.#tasks === 0) for (const resume of this.#whenIdle.splice(0)) resume();
  }

  /** Runs a part of another view's task, which has the turn, with this view's weights: on the lane of `task`, the parts of that one. */
  async lend<T>(task: EngineParts, work: (parts: EngineParts) => Promise<T>): Promise<T> {
    const name = laneNames.find((lane) => this.lanes[lane].queue === task.queue);
    if (name === undefined) {
      throw new LabError(
        'bad-argument',
        'teacher: it is open on another GPU or in another engine.',
        'Open one with the engine of the other.',
      );
    }
    if (this.closed) throw closedError();
    this.#tasks += 1;
    try {
      return await work(this.parts(name));
    } finally {
      this.#parts[name].blocks.end();
      this.#ended();
    }
  }

  async #attempt<T>(
    name: LaneName,
    signal: AbortSignal | undefined,
    task: (parts: EngineParts) => Promise<T>,
  ): Promise<T> {
    if (this.closed) throw closedError();
    const { buffers, queue } = this.lanes[name];
    queue.begin(signal);
    try {
      return await task(this.parts(name));
    } finally {
      queue.begin(undefined);
      this.#parts[name].blocks.end();
      this.#parts[name].forward.dropout = null;
      buffers.endTask();
    }
  }

  #signal(signal: AbortSignal | undefined): AbortSignal | undefined {
    // The base closes with its queues, which reject by themselves: its launches need not watch for more.
    if (this.#isBase) return signal;
    return signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
  }

  /** Writes back the blocks that were written. */
  async flush(signal?: AbortSignal): Promise<void> {
    if (!this.lanes.disposed) await this.#weights.blocks.flush(signal);
  }

  /**
   * Frees what only this view uses, after its tasks, which reject, have ended and written blocks were written back. If writing
   * back fails, it rejects, and nothing is freed. The base takes everything with it.
   */
  async close(): Promise<void> {
    if (this.#isBase) this.lanes.dispose();
    this.#closing.abort();
    if (this.#tasks > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    if (this.lanes.disposed) return;
    if (this.#weights.blocks.isWritten) await this.#weights.blocks.flush();
    if (!this.lanes.disposed) this.#weights.close();
  }
}

function closedError(): LabError {
  return new LabError('not-loaded', 'The engine is closed.', 'Load the model again.');
}

/** @file Commands about the GPU: which kernels are fastest, where the time of a pass goes, how much memory it takes. */
import type { ProfileRequest } from '../../contract/types';
import type { Context } from './context';

export interface KernelCommands {
  /** Reads which kernels the open model runs in. */
  refreshTuning(): Promise<void>;
  /** Measures the kernels that are not measured yet; if all are, measures all again. A cancelled run keeps its finds. */
  measureKernels(): Promise<void>;
  /** Times the kernels of a forward pass, then of a Taylor pass; the first result stays when the second is cancelled. */
  profileKernels(): Promise<void>;
  /** Reads how much GPU memory the engine uses. */
  refreshMemory(): Promise<void>;
  /** Bounds the engine's memory; null lifts the bound. Cancels the engine's running calls. */
  limitMemory(bytes: number | null): Promise<void>;
}

/** The user pressed a button and sees the progress: a little longer than the tuning that the page does by itself. */
const askedBudgetMs = 15_000;

export function createKernelCommands({ lab, store, tasks }: Context): KernelCommands {
  const { getState, setState } = store;

  async function refreshTuning(): Promise<void> {
    const { model } = getState();
    if (!model) return;
    await tasks.command('tune', async () => {
      const tuning = await lab.tuning();
      if (getState().model === model) setState({ tuning });
    });
  }

  async function measureKernels(): Promise<void> {
    const force = getState().tuning?.left === 0;
    await tasks.run('tune', ({ signal, onProgress }) =>
      lab.tune({
        force,
        budgetMs: askedBudgetMs,
        signal,
        onProgress: (progress) => onProgress({ ...progress, stage: 'Measuring kernels' }),
      }),
    );
    if (getState().tasks.tune?.phase !== 'failed') await refreshTuning();
  }

  async function profileKernels(): Promise<void> {
    const { model, device } = getState();
    const passes = [
      { pass: 'forward', stage: 'Forward pass' },
      { pass: 'taylor', stage: 'Taylor pass' },
    ] as const;
    // A software adapter takes seconds for the forward and backward pass of one sequence.
    const samples: ProfileRequest = device?.software ? { samples: 2 } : {};
    await tasks.run('profile', async ({ signal, onProgress }) => {
      for (const { pass, stage } of passes) {
        const found = await lab.profile({
          ...samples,
          pass,
          signal,
          onProgress: (progress) => onProgress({ ...progress, stage }),
        });
        if (signal.aborted || getState().model !== model) return;
        setState(({ profiles }) => ({ profiles: { ...profiles, [pass]: found } }));
      }
    });
  }

  async function refreshMemory(): Promise<void> {
    const { model } = getState();
    if (!model) return;
    await tasks.command('memory', async () => {
      const memory = await lab.memory();
      if (getState().model === model) setState({ memory });
    });
  }

  async function limitMemory(bytes: number | null): Promise<void> {
    await tasks.run('memory', async (task) => {
      const memory = await lab.limitMemory(bytes, task);
      setState({ memory, device: await lab.device() });
    });
  }

  return { refreshTuning, measureKernels, profileKernels, refreshMemory, limitMemory };
}

/** @file The page's verbs about the GPU: which kernels are fastest, where the time of a pass goes, how much memory it takes. */

import type { ProfileRequest } from '../contract/types';
import { lab } from './lab';
import { labStore } from './store';
import { failTask, runTask } from './tasks';

const { getState, setState } = labStore;

/** Somebody pressed a button and sees the progress: a little longer than unasked. */
const askedBudgetMs = 15_000;

/** Looks up what is used now. */
export async function refreshTuning(): Promise<void> {
  const { model } = getState();
  if (!model) return;
  try {
    const tuning = await lab.tuning();
    if (getState().model === model) setState({ tuning });
  } catch (thrown) {
    failTask('tune', thrown);
  }
}

/** Measures what is left; when nothing is, all anew. What a cancelled one found is shown. */
export async function measureKernels(): Promise<void> {
  const force = getState().tuning?.left === 0;
  await runTask('tune', ({ signal, onProgress }) =>
    lab.tune({
      force,
      budgetMs: askedBudgetMs,
      signal,
      onProgress: (progress) => onProgress({ ...progress, stage: 'Measuring kernels' }),
    }),
  );
  if (getState().tasks.tune?.phase !== 'failed') await refreshTuning();
}

/** Times the kernels of a forward pass, then of a Taylor pass; the first stays when the second is cancelled. */
export async function profileKernels(): Promise<void> {
  const { model, device } = getState();
  const passes = [
    { pass: 'forward', stage: 'Forward pass' },
    { pass: 'taylor', stage: 'Taylor pass' },
  ] as const;
  // A software adapter takes seconds for a window there and back.
  const samples: ProfileRequest = device?.software ? { samples: 2 } : {};
  await runTask('profile', async ({ signal, onProgress }) => {
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

/** Looks up what the engine has on the GPU. */
export async function refreshMemory(): Promise<void> {
  const { model } = getState();
  if (!model) return;
  try {
    const memory = await lab.memory();
    if (getState().model === model) setState({ memory });
  } catch (thrown) {
    failTask('memory', thrown);
  }
}

/** Bounds the engine's memory; null lifts the bound. What is at work is cancelled. */
export async function limitMemory(bytes: number | null): Promise<void> {
  await runTask('memory', async (task) => {
    const memory = await lab.limitMemory(bytes, task);
    setState({ memory, device: await lab.device() });
  });
}

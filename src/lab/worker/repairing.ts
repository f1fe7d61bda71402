/** @file What repairs need of the lab: the calibration, and engines of models that are not listed. */
import { LabError } from '../../errors';
import { isRepairMethod, type RepairMethod, repairMethods } from '../../pruning/repairMethods';
import type { Change } from '../../repair/advance';
import type { OpenModel } from '../../repair/types';
import type { TaskOptions } from '../../task';
import type { RepairChoice } from '../contract/types';
import type { EngineHandle, Gpu } from './gpu';
import { calibrationOf, type Workspace } from './workspace';

let opened = 0;

/** The repair that was chosen; null for none. Throws 'not-available' for one that this version lacks. */
export function methodOf(choice: RepairChoice): RepairMethod | null {
  if (choice === 'none') return null;
  if (isRepairMethod(choice)) return choice;
  throw new LabError(
    'not-available',
    "The repair 'linear-patch' multiplies the hidden state by a [hidden, hidden] matrix between two blocks, and no weight of a LLaMA block can hold that: each of them writes to the hidden state or reads it through a norm.",
    `Use one of ${repairMethods.map((method) => `'${method}'`).join(', ')}.`,
  );
}

/** Opens a model beside the base for the time of `work`, and frees what only it holds. */
export async function withEngine<T>(
  gpu: Gpu,
  { shape, weights }: Parameters<OpenModel>[0],
  work: (handle: EngineHandle) => Promise<T>,
  task: TaskOptions,
): Promise<T> {
  const view = { id: `unlisted ${++opened}`, shape, weights };
  try {
    const handle = await gpu.engine(task, view);
    if (handle === null) throw needsGpu();
    return await work(handle);
  } finally {
    await gpu.close(view);
  }
}

/** A repair on the calibration's sequences. */
export async function repairOn(
  workspace: Workspace,
  gpu: Gpu,
  method: RepairMethod,
  task: TaskOptions,
): Promise<NonNullable<Change['repair']>> {
  if ((await gpu.context(task.signal)) === null) throw needsGpu();
  const { sequences, info } = await calibrationOf(workspace, task);
  const { corpus, samples, seqLen, seed, hash } = info;
  const open: OpenModel = (model, work, options) => withEngine(gpu, model, ({ engine }) => work(engine), options);
  return { method, sequences, text: { corpus, samples, seqLen, seed, hash }, open };
}

function needsGpu(): LabError {
  return new LabError(
    'no-webgpu',
    'Repairs measure the model on the GPU, and this browser has no WebGPU.',
    "Use the repair 'none', or open the page in a browser with WebGPU.",
  );
}

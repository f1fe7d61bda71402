/** @file Latency tables of open models: measured at the first need, kept for the session by device, runtime and model revision. */
import { type LatencyTable, measureLatencyTable, tableCuts } from '../../benchmark/latencyTable';
import type { OrtRuntime } from '../../benchmark/session';
import { modelParameters } from '../../model/count';
import type { ModelShape } from '../../model/shape';
import { baseViewId, type ModelView } from '../../model/view';
import { naturalOrder, planOfSizes } from '../../pruning/budget/sizes';
import { pruned } from '../../pruning/cuts';
import { Recent } from '../../recent';
import type { TaskOptions } from '../../task';
import type { BestRequest } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import type { Gpu } from './gpu';
import { sessionBudget, sessionBytes } from './sessionBudget';
import type { Workspace } from './workspace';

/** Tables that are remembered. */
const mostTables = 8;
const tables = new Recent<string, LatencyTable>(mostTables);
let nextCut = 1;

/** Models up to this size take a millisecond or so per token: more of them are timed. */
const smallModel = 2e7;

/** How a decoded token is timed. */
export interface Timing {
  readonly runtime: OrtRuntime;
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly warmups: number;
  readonly runs: number;
}

/** How often, unless the request says: by how long a token takes. */
export async function timingOf(
  { runtimes, model }: Workspace,
  { runtime: wanted, newTokens, warmups, runs }: Plain<BestRequest>,
): Promise<Timing> {
  const { runtime, emulated } = await runtimes.timing(wanted);
  const small = modelParameters(model.info.shape) <= smallModel;
  const usual = emulated ? [8, 1, 4] : small ? [64, 2, 8] : [16, 1, 6];
  return {
    ...{ runtime, promptTokens: 12, newTokens: newTokens ?? usual[0]! },
    ...{ warmups: warmups ?? usual[1]!, runs: runs ?? usual[2]! },
  };
}

/** The table of the open model on a runtime. */
export async function latencyTable(
  workspace: Workspace,
  gpu: Gpu,
  timing: Timing,
  task: TaskOptions,
): Promise<LatencyTable & { reused: boolean }> {
  const { id, revision } = workspace.model.info;
  const device = await gpu.device();
  const key = JSON.stringify([id, revision, timing, timing.runtime === 'ort-wasm' ? 'CPU' : device?.adapter]);
  const known = tables.get(key);
  if (known) return { ...known, reused: true };
  const table = await measured(workspace, gpu, timing, task);
  tables.set(key, table);
  return { ...table, reused: false };
}

async function measured(
  { model, runtimes, variants }: Workspace,
  gpu: Gpu,
  { runtime, ...counts }: Timing,
  task: TaskOptions,
): Promise<LatencyTable> {
  const { info, weights } = model;
  const base = { shape: info.shape, weights };
  const fits = (shapes: readonly ModelShape[]): boolean => {
    const taken = shapes.reduce((sum, shape) => sum + sessionBytes(runtime, 4 * modelParameters(shape)), 0);
    return taken <= sessionBudget(runtime, gpu.memoryBytes);
  };
  const cuts = tableCuts(base.shape, fits);
  const order = naturalOrder(base.shape);
  const views = cuts.map(({ sizes }, at): ModelView => {
    if (at === 0) return variants.view(baseViewId);
    const plan = planOfSizes(info.id, base.shape, sizes, order);
    return { id: `latency table ${nextCut++}`, ...pruned(base, plan) };
  });
  const named = (stage: string) => `Latency table: ${stage.slice(0, 1).toLowerCase()}${stage.slice(1)}`;
  const told: TaskOptions = {
    signal: task.signal,
    onProgress: (progress) => task.onProgress?.({ ...progress, stage: named(progress.stage) }),
  };
  try {
    return await measureLatencyTable(
      cuts.map(({ name }, at) => ({ name, shape: views[at]!.shape })),
      views.map((view) => runtimes.withSession(view, runtime, told)),
      {
        ...counts,
        ...told,
        ...(fits(views.map(({ shape }) => shape)) ? {} : { sideBySide: false }),
      },
    );
  } finally {
    for (const view of views.slice(1)) runtimes.gone(view);
  }
}

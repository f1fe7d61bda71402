/** @file Perplexity and latency of variants: measured, and recorded in their rows. */
import { longestSequence } from '../../benchmark/session';
import type { PruningPlan } from '../../pruning/plan';
import type { LatencyResult, PerplexityResult, Runtime } from '../../report/results';
import type { TaskOptions } from '../../task';
import { checkLatencyText } from '../contract/arguments';
import type { LatencyRequest, PerplexityRequest } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import type { Gpu } from './gpu';
import { calibrationOf, type Workspace } from './workspace';

/** The perplexity of a variant, or of a plan that is not kept; by default with the engine, without WebGPU with ONNX Runtime. */
export async function measurePerplexityOf(
  workspace: Workspace,
  gpu: Gpu,
  task: TaskOptions,
  target: string | PruningPlan,
  request: Plain<PerplexityRequest>,
): Promise<PerplexityResult> {
  const { id, view } = workspace.variants.resolve(target);
  const runtime: Runtime = request.runtime ?? ((await gpu.device()) ? 'wgsl' : 'ort-wasm');
  const sequences = await workspace.sequences.evaluation(request, task);
  const { meanNll, ...rest } = await gpu.tuning.undisturbed(
    () => workspace.runtimes.perplexity(runtime, view, sequences, task, request.precision),
    task.signal,
  );
  const result: PerplexityResult = { perplexity: Math.exp(meanNll), meanNll, ...rest, runtime, text: sequences.text };
  if (id !== null) workspace.variants.recordPerplexity(id, result);
  return result;
}

/** The latency of a variant; with `against` in turns with another one. */
export async function measureLatencyOf(
  workspace: Workspace,
  gpu: Gpu,
  task: TaskOptions,
  id: string,
  request: Plain<LatencyRequest>,
): Promise<LatencyResult[]> {
  const { runtimes, variants } = workspace;
  const view = variants.view(id);
  checkLatencyText(longestSequence(view.shape), request);
  const text = async () => (await calibrationOf(workspace, task)).sequences;
  const { against, ...how } = request;
  if (against === undefined) {
    const results = await gpu.tuning.undisturbed(() => runtimes.latency(view, how, task, text), task.signal);
    variants.recordLatency(id, results);
    return results;
  }
  const reference = variants.view(against);
  const pairs = await gpu.tuning.undisturbed(
    () => runtimes.pairedLatency(view, reference, how, task, text),
    task.signal,
  );
  const results = pairs.map(({ measured, latency, decode, pairs: count, inTurns }) => ({
    ...measured,
    speedUp: { ...latency, against, decode, pairs: count, inTurns },
  }));
  const ofReference = pairs.map((pair) => pair.reference);
  if (against !== id) variants.recordLatency(against, ofReference);
  variants.recordLatency(id, results);
  return results;
}

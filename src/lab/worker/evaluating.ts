/** @file Multiple-choice tasks: which questions a request means, and asking a variant. The result is entered in its row. */
import { LabError, shown } from '../../errors';
import type { Runtime, TaskResult } from '../../report/results';
import type { TaskOptions } from '../../task';
import { ask, hashTask, type SumLosses } from '../../tasks/ask';
import type { Task } from '../../tasks/item';
import { readTask } from '../../tasks/readTask';
import { taskSequences } from '../../tasks/sequences';
import { storyEndingItems, storyEndings } from '../../tasks/storyEndings';
import type { EvaluateRequest, EvaluateResult } from '../contract/types';
import type { Plain } from '../contract/workerSession';
import type { Gpu } from './gpu';
import type { TextLibrary } from './texts';
import type { Workspace } from './workspace';

/** By default with the engine, without WebGPU with ONNX Runtime. */
export async function evaluateVariant(
  workspace: Workspace,
  { gpu, texts }: { readonly gpu: Gpu; readonly texts: TextLibrary },
  task: TaskOptions,
  id: string,
  request: Plain<EvaluateRequest>,
): Promise<EvaluateResult> {
  const { model, runtimes, variants } = workspace;
  const view = variants.view(id);
  const tokenizer = model.requireTokenizer();
  const questions = await questionsOf(workspace, texts, task, request);
  const asked = await taskSequences(tokenizer, questions, view.shape.maxPositions, task);
  const runtime: Runtime = request.runtime ?? ((await gpu.device()) ? 'wgsl' : 'ort-wasm');
  const passes: Pick<TaskResult, 'milliseconds' | 'device'>[] = [];
  const { signal } = task;
  const sumLosses: SumLosses = async (sequences, firstTargets) => {
    const { sums, ...pass } = await runtimes.sumLosses(runtime, view, sequences, firstTargets, { signal });
    passes.push(pass);
    return sums;
  };
  const { answers, ...grade } = await gpu.tuning.undisturbed(() => ask(questions, asked, sumLosses, task), signal);
  const result: TaskResult = {
    task: questions.name,
    ...grade,
    hash: hashTask(questions, asked),
    device: passes[0]!.device,
    milliseconds: passes.reduce((sum, pass) => sum + pass.milliseconds, 0),
  };
  variants.recordTask(id, result);
  return { ...result, answers };
}

async function questionsOf(
  { model }: Workspace,
  texts: TextLibrary,
  task: TaskOptions,
  { task: named, labels, limit }: Plain<EvaluateRequest>,
): Promise<Task> {
  if (named instanceof File) return readTask(named, { ...task, labels, limit });
  if (named !== storyEndings) {
    throw new LabError(
      'bad-argument',
      `task: expected '${storyEndings}' or a file of questions, got ${shown(named)}.`,
      'Give the questions of another task as a .json or .jsonl file.',
    );
  }
  const { texts: documents } = await texts.open('evaluation', model, undefined, task);
  return { name: storyEndings, items: storyEndingItems(documents.join('\n\n')).slice(0, limit) };
}

/** @file What `lab.export` gives: the very graph that is timed, with the weights that it uses. */
import { abortedError, LabError } from '../../errors';
import type { ModelView } from '../../model/view';
import { buildGraph } from '../../onnx/graph';
import { patchOf, type Step } from '../../pruning/variant';
import { optionalFiles } from '../../shards/sources/modelFiles';
import type { TaskOptions } from '../../task';
import { packed } from '../../weights/packed';
import { widened } from '../../weights/widened';
import type { VariantInfo } from '../contract/types';
import type { OpenModel } from './models';

const weightsFile = 'model.onnx_data';
/** Beside the graph, where the model came with them: what a runtime needs to turn text into tokens and to stop. */
const companions = optionalFiles;

/** Longest sequence of a downloaded graph: the model's context, up to where rotary tables stay small. */
const mostPositions = 4096;

/** model.onnx, its weights in one file without those that were removed, and the tokenizer. */
export async function exportOnnx(
  model: OpenModel,
  { name, plan, recipe }: Pick<VariantInfo, 'name' | 'plan' | 'recipe'>,
  { shape, weights: own }: ModelView,
  { signal }: TaskOptions,
): Promise<File[]> {
  const weights = packed(shape, widened(shape, own), weightsFile);
  const { source, revision } = model.info;
  const graph = buildGraph(shape, weights, {
    maxPositions: Math.min(shape.maxPositions, mostPositions),
    name,
    metadata: { source, revision: revision ?? '', plan: JSON.stringify(plan), ...patchFacts(recipe) },
  });
  const files = [new File([graph.model], 'model.onnx', { type: 'application/octet-stream' })];
  for (const file of graph.externalFiles) files.push(new File([await graph.file(file, signal)], file));
  for (const file of companions) {
    const text = await model.checkpoint.text(file);
    if (text !== null) files.push(new File([text], file, { type: 'application/json' }));
  }
  if (signal?.aborted) throw abortedError('The export');
  return files;
}

/** Which weights of its own a variant has; nothing for one that has the base's. */
function patchFacts(recipe: readonly Step[]): Record<string, string> {
  const patch = patchOf(recipe);
  return patch ? { patch: patch.sha256, patched: patch.tensors.map(({ name }) => name).join(' ') } : {};
}

/** For the contract's types of exported weights, none of which can be chosen yet. */
export function noChoiceOfType(dtype: string): LabError {
  const message = `export: a dtype (here ${dtype}) cannot be chosen in this version: weights keep the type they are stored in.`;
  return new LabError('not-available', message, 'Export without dtype.');
}

/** For the formats of the contract that are not there yet, and for others. */
export function unknownFormat(format: string): LabError {
  const known = ['huggingface', 'mergekit', 'recipe'].includes(format);
  return new LabError(
    known ? 'not-available' : 'bad-argument',
    known ? `export: '${format}' is not in this version.` : `export: expected 'onnx', got '${format}'.`,
    "Export to 'onnx'.",
  );
}

/** @file Writes the graph that is timed, with the weights that it uses: model.onnx, one file of weights, the tokenizer. */
import { buildGraph } from '../../onnx/graph';
import { patchOf, type Step } from '../../pruning/variant';
import { optionalFiles } from '../../shards/sources/modelFiles';
import { packed } from '../../weights/packed';
import { widened } from '../../weights/widened';
import type { ExportedFile, ExportOptions, ExportSource } from '../exported';
import { blobFile, textFile } from '../files';

const weightsFile = 'model.onnx_data';
/** Beside the graph, where the model came with them: what a runtime needs to turn text into tokens and to stop. */
const companions = optionalFiles;

/** Longest sequence of a downloaded graph: the model's context, up to where rotary tables stay small. */
const mostPositions = 4096;

export default async function write(source: ExportSource, { signal }: ExportOptions): Promise<readonly ExportedFile[]> {
  const { shape, weights: own } = source.view;
  const weights = packed(shape, widened(shape, own), weightsFile);
  const graph = buildGraph(shape, weights, {
    maxPositions: Math.min(shape.maxPositions, mostPositions),
    name: source.name,
    metadata: {
      ...{ source: source.model.source, revision: source.model.revision ?? '' },
      ...{ plan: JSON.stringify(source.plan), ...patchFacts(source.recipe) },
    },
  });
  const files = [blobFile('model.onnx', new Blob([graph.model]))];
  for (const file of graph.externalFiles) files.push(blobFile(file, await graph.file(file, signal)));
  for (const file of companions) {
    const text = await source.text(file);
    if (text !== null) files.push(textFile(file, text, 'application/json'));
  }
  return files;
}

/** Which weights of its own a variant has; nothing for one that has the base's. */
function patchFacts(recipe: readonly Step[]): Record<string, string> {
  const patch = patchOf(recipe);
  return patch ? { patch: patch.sha256, patched: patch.tensors.map(({ name }) => name).join(' ') } : {};
}

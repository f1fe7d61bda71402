/** @file Writes a variant as a recipe: its plan and repairs as JSON, a script that applies them, and commands for larger machines. */
import { patchOf, rescalingsOf } from '../../pruning/variant';
import { program } from '../../report/record';
import { patchFileName } from '../../weights/patched';
import type { ExportedFile, ExportOptions, ExportSource } from '../exported';
import { jsonFile, textFile } from '../files';
import { modelingCode, modelingFile } from '../huggingface/modeling';
import { safetensorsFile } from '../huggingface/shards';
import { type WrittenTensor, writtenTensors } from '../huggingface/tensors';
import { hubName } from '../provenance';
import script from './apply_recipe.py?raw';
import { commandsText } from './commands';

export const recipeVersion = 1;

export default async function write(source: ExportSource, _options: ExportOptions): Promise<readonly ExportedFile[]> {
  const own = ownTensors(source);
  return [
    jsonFile('recipe.json', recipeRecord(source, own)),
    textFile('apply_recipe.py', script, 'text/x-python'),
    textFile(modelingFile, modelingCode(source.shape), 'text/x-python'),
    textFile('COMMANDS.md', commandsText(source), 'text/markdown'),
    ...(own.length > 0 ? [safetensorsFile('own.safetensors', own)] : []),
  ];
}

/** The tensors that are not rows and columns of the base's, under their names in the pruned model. */
function ownTensors({ view, recipe }: ExportSource): WrittenTensor[] {
  const patch = patchOf(recipe);
  if (patch === null) return [];
  const file = patchFileName(patch.sha256);
  return writtenTensors(view.shape, view.weights).filter((tensor) => tensor.file === file);
}

function recipeRecord(source: ExportSource, own: readonly WrittenTensor[]): object {
  const { model, baseShape, plan, recipe, calibration, name, row } = source;
  const [first] = baseShape.layers;
  return {
    version: recipeVersion,
    program,
    name,
    model: {
      source: model.source,
      hub: hubName(model),
      revision: model.revision,
      family: baseShape.family,
      architecture: model.architecture,
    },
    base: {
      blocks: baseShape.layers.length,
      ...{ heads: first?.heads, kvHeads: first?.kvHeads, headDim: first?.headDim, neurons: first?.ffn },
    },
    plan,
    steps: recipe,
    rescalings: rescalingsOf(recipe),
    ownTensors: own.map((tensor) => tensor.name),
    normOffset: baseShape.normOffset ?? 0,
    normPlacement: first?.normPlacement ?? null,
    calibration,
    measured:
      row === null ? null : { perplexity: row.perplexity, latency: row.latency, training: row.training ?? null },
  };
}

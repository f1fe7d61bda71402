/** @file What the export panel shows of the chosen variant: which formats can hold it, and how large its files become. Pure. */
import type { ExportDtype, ExportedVariant, ExportFormat } from '../../export/exported';
import type { VariantInfo } from '../../lab/contract/types';
import { shownVariant } from '../../lab/page/shownVariant';
import type { LabState } from '../../lab/page/store';
import { recipeOf } from '../../pruning/variant';
import type { ModelInfo } from '../../report/facts';

/** The chosen variant, or the plan that the page shows; null while no model is open. */
export interface Chosen extends ExportedVariant {
  readonly name: string;
  readonly parameters: number;
}

type State = Pick<LabState, 'model' | 'plan' | 'ownWeights' | 'variants' | 'draft' | 'exportSettings'>;

export function chosenVariant(state: State): Chosen | null {
  const { model, plan, draft, variants, exportSettings } = state;
  if (!model) return null;
  const id = exportSettings.variant ?? shownVariant(state);
  const found = variants.find((each) => each.id === id);
  if (found) return ofVariant(found, model);
  if (id === 'base')
    return { ...facts(model), name: 'original model', plan: plan!, recipe: [], parameters: model.parameters };
  if (!plan || !draft) return null;
  return { ...facts(model), ...draft, name: 'the plan shown', plan, recipe: recipeOf(plan) };
}

const facts = ({ shape, architecture }: ModelInfo) => ({ shape, baseShape: shape, architecture });

function ofVariant({ name, plan, recipe, shape, parameters, hasAdapter }: VariantInfo, model: ModelInfo): Chosen {
  return { ...facts(model), name, plan, recipe, shape, parameters, ...(hasAdapter && { hasAdapter }) };
}

const bytesPerParameter: Readonly<Record<ExportDtype | ModelInfo['dtype'], number>> = {
  ...{ F32: 4, F16: 2, BF16: 2, f32: 4, f16: 2 },
  // 32 weights with one f16 scale.
  q8_0: 34 / 32,
};

/** About how many bytes the weights take; null for formats without weights. */
export function weightBytes(
  { id, dtypes }: Pick<ExportFormat, 'id' | 'dtypes'>,
  { parameters }: Pick<Chosen, 'parameters'>,
  stored: ModelInfo['dtype'],
  dtype: ExportDtype | null,
): number | null {
  if (id === 'peft' || id === 'mergekit' || id === 'recipe') return null;
  // ONNX Runtime's graphs hold BF16 as float32.
  const kept = id === 'onnx' && stored === 'BF16' ? 'F32' : stored;
  return parameters * bytesPerParameter[dtype ?? dtypes[0] ?? kept];
}

/** Largest file of a disk formatted as FAT32. */
export const fat32Bytes = 2 ** 32;

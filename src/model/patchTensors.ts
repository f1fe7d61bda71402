/**
 * @file Which weight of a variant each tensor of a patch stands for. Tensors have their Hugging Face names in the checkpoint, in
 * the family's spelling or in the checkpoint's own; block indices are those of the base.
 */
import { LabError } from '../errors';
import { architectureOf } from './architectures';
import { layerTensorName, modelTensorName } from './architectures/architecture';
import { show } from './configFields';
import {
  type BiasRole,
  isBias,
  type LayerRole,
  type LayerShape,
  layerRoles,
  type ModelRole,
  type ModelShape,
  modelRoles,
} from './shape';
import { checkTensor, expectedTensors, type FileTensor } from './tensors';
import type { TensorRef, WeightSource } from './weights';

/** A weight that a patch may name. */
type Weight =
  | { readonly role: LayerRole; readonly source: number }
  | { readonly role: ModelRole; readonly source: null };

/** A tensor of a patch and the weight that it stands for. */
export type FittedTensor = Weight & { readonly tensor: TensorRef };

/** A patch whose tensors were found to fit. */
export interface FittedPatch {
  /** The parent's shape, with the biases that the patch adds. */
  readonly shape: ModelShape;
  /** In the order of the file. */
  readonly tensors: readonly FittedTensor[];
}

/** The projection that a bias belongs to. */
const projectionOf: Readonly<Record<BiasRole, LayerRole>> = {
  qBias: 'qProj',
  kBias: 'kProj',
  vBias: 'vProj',
  oBias: 'oProj',
  gateBias: 'gateProj',
  upBias: 'upProj',
  downBias: 'downProj',
};
const biasRoles = Object.keys(projectionOf) as BiasRole[];

/** The weights that the model's variants may have, by every name that a patch may give them. */
function weightsByName(base: ModelShape, weights: WeightSource): Map<string, Weight> {
  const architecture = architectureOf(base.family);
  const found = new Map<string, Weight>();
  for (const role of modelRoles(base)) {
    found.set(modelTensorName(architecture, role), { role, source: null });
    found.set(weights.modelTensor(role).name, { role, source: null });
  }
  for (const layer of base.layers) {
    const { source } = layer;
    const own = layerRoles(layer);
    for (const role of own) {
      found.set(layerTensorName(architecture, role, source), { role, source });
      found.set(weights.layerTensor(role, source).name, { role, source });
    }
    for (const role of biasRoles) {
      const projection = projectionOf[role];
      if (own.includes(role) || !own.includes(projection) || architecture.layer[role] === undefined) continue;
      found.set(layerTensorName(architecture, role, source), { role, source });
      found.set(weights.layerTensor(projection, source).name.replace(/\.weight$/, '.bias'), { role, source });
    }
  }
  return found;
}

/**
 * Finds what each tensor of a patch stands for, and checks it against the shape of the variant.
 *
 * @param base the unpruned model, whose names the patch uses
 * @param shape the variant without the patch
 * @param label what messages call the patch
 * @throws LabError 'bad-weights' naming the first tensor that does not fit
 */
export function fitPatch(
  base: { readonly shape: ModelShape; readonly weights: WeightSource },
  shape: ModelShape,
  tensors: readonly FileTensor[],
  label = 'The patch',
): FittedPatch {
  const known = weightsByName(base.shape, base.weights);
  const wanted = tensors.map((tensor) => ({ tensor, weight: weightOf(tensor, known, base.shape, shape, label) }));
  const added = wanted.flatMap(({ weight }) => (isBias(weight.role) && weight.source !== null ? [weight] : []));
  const layers = shape.layers.map((layer): LayerShape => {
    const held = layer.biases ?? [];
    const missing = biasRoles.filter(
      (role) => !held.includes(role) && added.some((one) => one.role === role && one.source === layer.source),
    );
    return missing.length === 0 ? layer : { ...layer, biases: [...held, ...missing] };
  });
  const patched = { ...shape, layers };
  const expected = new Map(expectedTensors(patched).map((each) => [each.label, each]));
  const found = new Map<string, FittedTensor>();
  for (const { tensor, weight } of wanted) {
    const name = weight.source === null ? weight.role : `${weight.role} of layer ${weight.source}`;
    const other = found.get(name);
    if (other) {
      const message = `${label}: ${show(other.tensor.name)} and ${show(tensor.name)} are the same weight, ${name}.`;
      throw new LabError('bad-weights', message, 'Give each tensor once.');
    }
    const here = expected.get(name);
    if (!here) throw new LabError('internal', `${label}: the shape has no ${name}.`, 'Please report this bug.');
    const checked = checkTensor({ ...here, label: `${label}: ${here.label}` }, tensor, remedy);
    found.set(name, { ...weight, tensor: checked });
  }
  return { shape: patched, tensors: [...found.values()] };
}

const remedy = 'Save each tensor in the dimensions that it has in the variant, as F32, F16 or BF16.';

function weightOf(
  { name }: FileTensor,
  known: ReadonlyMap<string, Weight>,
  base: ModelShape,
  shape: ModelShape,
  label: string,
): Weight {
  const weight = known.get(name);
  if (weight === undefined) throw unknownName(name, known, base, label);
  if (weight.source === null) return weight;
  const { role, source } = weight;
  const layer = shape.layers.find((each) => each.source === source);
  const needed = isBias(role) ? projectionOf[role] : role;
  if (layer && layerRoles(layer).includes(needed)) return weight;
  throw new LabError(
    'bad-weights',
    `${label}: ${show(name)} belongs to ${layer ? 'a part of ' : ''}block ${source}, which the plan removes.`,
    'Leave the tensor out of the patch, or keep the block.',
  );
}

function unknownName(
  name: string,
  known: ReadonlyMap<string, Weight>,
  { family, tiedHead, layers }: ModelShape,
  label: string,
): LabError {
  const architecture = architectureOf(family);
  if (tiedHead && name === architecture.model.lmHead) {
    return new LabError(
      'bad-weights',
      `${label}: ${show(name)}: the model's head is its embedding.`,
      `Give ${architecture.model.embed} in its place: it is both.`,
    );
  }
  const [example = ''] = known.keys();
  return new LabError(
    'bad-weights',
    `${label}: expected names of this checkpoint's tensors, such as ${example}, got ${show(name)}.`,
    `Name tensors as in the checkpoint of ${layers.length} blocks: indices do not change when blocks are removed.`,
  );
}

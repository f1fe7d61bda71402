/**
 * @file Whether a shape is one that transformers' own classes can have: they build every block from the same numbers. Others need
 * the modeling file that this format ships.
 */
import { architectureOf } from '../../model/architectures';
import type { Architecture } from '../../model/architectures/architecture';
import { type BiasRole, isMlpBias, type LayerShape, type ModelShape, mlpBiasRoles } from '../../model/shape';

/** Families whose configuration class refuses a hidden size that is no multiple of the query heads, as of transformers 5.18. */
const needsDivisor: ReadonlySet<string> = new Set(['llama', 'gemma2', 'gemma3', 'gemma3_text']);

/** The family's table, with which a language model without its vision tower is written. */
export function writtenArchitecture(family: string): Architecture {
  return architectureOf(family === 'gemma3' ? 'gemma3_text' : family);
}

/** Why transformers' own class of the family cannot have this shape, as half a sentence; null where it can. */
export function whyUneven(shape: ModelShape): string | null {
  const { layers } = shape;
  const lacking = (what: string, lacks: (layer: LayerShape) => boolean): string | null => {
    const index = layers.findIndex(lacks);
    return index < 0 ? null : `block ${index} has no ${what}`;
  };
  const varying = (what: string, count: (layer: LayerShape) => number): string | null => {
    const counts = layers.map(count);
    const [least, most] = [Math.min(...counts), Math.max(...counts)];
    return least === most ? null : `blocks have ${least} to ${most} ${what}`;
  };
  return (
    lacking('attention', ({ heads }) => heads === 0) ??
    lacking('MLP', ({ ffn }) => ffn === 0) ??
    varying('query heads', ({ heads }) => heads) ??
    varying('key/value heads', ({ kvHeads }) => kvHeads) ??
    varying('neurons', ({ ffn }) => ffn) ??
    foreignBias(shape) ??
    oddHidden(shape)
  );
}

/** Which engines load an exported folder of this shape, in a sentence. */
export function enginesOf(shape: ModelShape): string {
  const why = whyUneven(shape);
  return why === null
    ? `transformers, vLLM, MLX and converters load it as a ${writtenArchitecture(shape.family).className}; so does this page.`
    : `transformers loads it with trust_remote_code=True, by a modeling file in the folder, because ${why}; so does this page. vLLM and MLX do not.`;
}

function foreignBias({ family, layers }: ModelShape): string | null {
  const allowed = allowedBiases(writtenArchitecture(family));
  const role = layers.flatMap(({ biases = [] }) => biases).find((each) => !allowed.includes(each));
  return role === undefined ? null : `this family's class has no ${role}`;
}

function oddHidden({ family, hidden, layers }: ModelShape): string | null {
  const heads = layers[0]?.heads ?? 1;
  if (!needsDivisor.has(family) || hidden % heads === 0) return null;
  return `this family's configuration refuses a hidden size of ${hidden} with ${heads} query heads`;
}

/** The biases that the family's class has, or can be told to have. */
function allowedBiases({ biases, readsMlpBias }: Architecture): readonly BiasRole[] {
  return [...biases.roles, ...(readsMlpBias ? mlpBiasRoles : [])];
}

/**
 * The biases that every block of transformers' own class has, for a shape that it can have: where one block has a bias, all
 * get it, and those that had none are zeros.
 */
export function stockBiases({ family, layers }: ModelShape): readonly BiasRole[] {
  const { biases } = writtenArchitecture(family);
  const held = layers.flatMap((layer) => layer.biases ?? []);
  const attention = biases.when === 'always' || held.some((role) => !isMlpBias(role)) ? biases.roles : [];
  return [...attention, ...(held.some(isMlpBias) ? mlpBiasRoles : [])];
}

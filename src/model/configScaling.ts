/** @file What a family does to scores, logits, embedding and gate beyond LLaMA, from config.json and the family's table. */
import * as v from 'valibot';
import type { Activation, ActivationRule, Architecture, ScalingField } from './architectures/architecture';
import { badConfig, defined, type Fields, parseFields, scale, show, unsupported } from './configFields';
import type { LayerShape, ModelShape } from './shape';

const cap = v.nullish(scale);
const schema = v.object({
  query_pre_attn_scalar: cap,
  attn_logit_softcapping: cap,
  final_logit_softcapping: cap,
} satisfies Record<ScalingField, typeof cap>);

/** Scales and soft caps by where they belong; what is absent there is not scaled and not capped. */
export interface Scaling {
  readonly layer: Pick<LayerShape, 'attnScale' | 'scoreSoftcap'>;
  readonly model: Pick<ModelShape, 'embedScale' | 'logitSoftcap'>;
}

/** Throws 'bad-config'. A field that the family does not read is ignored with a note, as transformers does. */
export function parseScaling(
  fields: Fields,
  { reads = [], scaledEmbedding }: Pick<Architecture, 'reads' | 'scaledEmbedding'>,
  { headDim, hidden }: { headDim: number; hidden: number },
  notes: string[],
): Scaling {
  const read: Record<string, unknown> = {};
  for (const field of Object.keys(schema.entries) as ScalingField[]) {
    if (reads.includes(field)) read[field] = fields[field];
    else if (fields[field] != null) {
      notes.push(`config.json: ${field} ${show(fields[field])} is ignored: this family does not use it.`);
    }
  }
  const found = parseFields(schema, read);
  const scalar = found.query_pre_attn_scalar ?? headDim;
  return {
    layer: {
      ...defined('attnScale', scalar === headDim ? undefined : 1 / Math.sqrt(scalar)),
      ...defined('scoreSoftcap', found.attn_logit_softcapping ?? undefined),
    },
    model: {
      // transformers rounds √hidden to the type in which the model runs: in BF16 up to 0.2 % away. Here models run in F32.
      ...defined('embedScale', scaledEmbedding && Math.sqrt(hidden)),
      ...defined('logitSoftcap', found.final_logit_softcapping ?? undefined),
    },
  };
}

/** The names that transformers knows for what we compute. Its GELUs by the tanh formula differ in nothing but rounding. */
const activations: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_python_tanh: 'gelu_tanh',
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu_accurate: 'gelu_tanh',
};

/** The activation of every layer, as the first of the family's fields names it. */
export function parseActivation(fields: Fields, rule: ActivationRule): Pick<LayerShape, 'activation'> {
  const field = rule.fields.find((name) => fields[name] != null);
  if (field === undefined) return rule.unsaid === 'silu' ? {} : { activation: rule.unsaid };
  const name = fields[field];
  if (typeof name !== 'string') throw badConfig(`${field}: expected a name, got ${show(name)}`);
  const names = new Map(Object.entries({ ...activations, ...rule.names }));
  const activation = names.get(name);
  if (activation === undefined) {
    const listed = [...names.keys()].map((known) => `'${known}'`);
    throw unsupported(`${field} ${show(name)}`, listed.join(', '));
  }
  return activation === 'silu' ? {} : { activation };
}

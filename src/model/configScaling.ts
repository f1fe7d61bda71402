/** @file What a family does to scores, logits, embedding and gate beyond LLaMA, from config.json and the family's table. */
import * as v from 'valibot';
import type { ActivationRule, Architecture, ScalingField } from './architectures/architecture';
import { badConfig, defined, type Fields, numberAbove, parseFields, show, unsupported } from './configFields';
import type { LayerShape, ModelShape } from './shape';

const cap = v.nullish(numberAbove(0, 1e6));
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

/** Throws 'bad-config', and 'unsupported-architecture' for a field that the family does not read. */
export function parseScaling(
  fields: Fields,
  { reads = [], scaledEmbedding }: Pick<Architecture, 'reads' | 'scaledEmbedding'>,
  { headDim, hidden }: { headDim: number; hidden: number },
): Scaling {
  for (const field of Object.keys(schema.entries) as ScalingField[]) {
    if (fields[field] != null && !reads.includes(field)) {
      throw unsupported(`${field} ${show(fields[field])}`, 'this family without');
    }
  }
  const found = parseFields(schema, fields);
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

/** The activation of every layer, as the first of the family's fields names it. */
export function parseActivation(fields: Fields, rule: ActivationRule): Pick<LayerShape, 'activation'> {
  const field = rule.fields.find((name) => fields[name] != null);
  if (field === undefined) return rule.unsaid === 'silu' ? {} : { activation: rule.unsaid };
  const name = fields[field];
  if (typeof name !== 'string') throw badConfig(`${field}: expected a name, got ${show(name)}`);
  const activation = Object.hasOwn(rule.names, name) ? rule.names[name] : undefined;
  if (activation === undefined) {
    const names = Object.keys(rule.names).map((known) => `'${known}'`);
    throw unsupported(`${field} ${show(name)}`, names.join(', '));
  }
  return activation === 'silu' ? {} : { activation };
}

/** @file Which layers attend within a sliding window, from config.json and the family's rule. */
import * as v from 'valibot';
import type { WindowRule } from './architectures/architecture';
import { badConfig, type Fields, parseFields, show, size, unsupported } from './configFields';

const layers = size(1024);
const window = v.nullish(size(2 ** 27));
/** What a rule reads; other fields about windows may say what they like. */
const schemas = {
  none: v.object({ num_hidden_layers: layers }),
  'every-layer': v.object({ num_hidden_layers: layers, sliding_window: window }),
  'chosen-layers': v.object({ num_hidden_layers: layers, use_sliding_window: v.nullish(v.boolean(), false) }),
  'every-other-layer': v.object({ num_hidden_layers: layers, sliding_window: window }),
  'all-but-each-nth': v.object({ num_hidden_layers: layers, sliding_window: window, sliding_window_pattern: layers }),
};
const chosenSchema = v.object({
  sliding_window: window,
  max_window_layers: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
});
const typesSchema = v.object({
  layer_types: v.nullish(v.pipe(v.array(v.pipe(v.string(), v.maxLength(100))), v.maxLength(1024))),
});

/** The window of every layer in tokens; undefined where a query sees all before it. */
export function parseWindows(fields: Fields, rule: WindowRule, notes: string[]): (number | undefined)[] {
  const { count, tokens, slides } = implied(fields, rule);
  const impliedTypes = Array.from({ length: count }, (_, layer) =>
    slides(layer) ? 'sliding_attention' : 'full_attention',
  );
  return chosenTypes(fields, impliedTypes, rule, notes).map((type, layer) => {
    if (type === 'full_attention') return undefined;
    if (tokens != null) return tokens;
    throw badConfig(
      `layer_types: layer ${layer} is ${show(type)}, but sliding_window is ${show(fields['sliding_window'])}` +
        ` and use_sliding_window ${show(fields['use_sliding_window'] ?? false)}`,
    );
  });
}

/** What holds where no `layer_types` says otherwise: how many layers, the window's tokens, and which layers have it. */
function implied(
  fields: Fields,
  rule: WindowRule,
): { count: number; tokens: number | null | undefined; slides: (layer: number) => boolean } {
  switch (rule) {
    case 'none':
      return { count: parseFields(schemas.none, fields).num_hidden_layers, tokens: null, slides: () => false };
    case 'every-layer': {
      const { num_hidden_layers: count, sliding_window: tokens } = parseFields(schemas[rule], fields);
      return { count, tokens, slides: () => tokens != null };
    }
    case 'chosen-layers': {
      const { num_hidden_layers: count, use_sliding_window: used } = parseFields(schemas[rule], fields);
      if (!used) return { count, tokens: null, slides: () => false };
      const { sliding_window: tokens, max_window_layers: from } = parseFields(chosenSchema, fields);
      return { count, tokens, slides: (layer) => tokens != null && layer >= from };
    }
    case 'every-other-layer': {
      const { num_hidden_layers: count, sliding_window: tokens } = parseFields(schemas[rule], fields);
      return { count, tokens, slides: (layer) => layer % 2 === 0 };
    }
    case 'all-but-each-nth': {
      const found = parseFields(schemas[rule], fields);
      const slides = (layer: number): boolean => (layer + 1) % found.sliding_window_pattern !== 0;
      return { count: found.num_hidden_layers, tokens: found.sliding_window, slides };
    }
    default:
      return rule satisfies never;
  }
}

/** `layer_types` where the family reads them; elsewhere transformers leaves aside what they say. */
function chosenTypes(fields: Fields, types: readonly string[], rule: WindowRule, notes: string[]): readonly string[] {
  const said = parseFields(typesSchema, fields).layer_types;
  if (said == null) return types;
  if (said.length !== types.length) {
    throw badConfig(`layer_types: expected one for each of the ${types.length} layers, got ${said.length}`);
  }
  if (rule === 'none' || rule === 'every-layer') {
    const layer = said.findIndex((type, at) => type !== types[at]);
    if (layer >= 0 && rule === 'every-layer') {
      throw unsupported(`${show(said[layer])} in layer ${layer}`, `${show(types[layer])} there`);
    }
    if (layer >= 0) {
      notes.push(
        `config.json: layer_types say ${show(said[layer])} of layer ${layer}; this family does not read them, in transformers as here.`,
      );
    }
    return types;
  }
  said.forEach((type, layer) => {
    if (type === 'full_attention' || type === 'sliding_attention') return;
    throw unsupported(`${show(type)} in layer ${layer}`, "'full_attention' and 'sliding_attention' there");
  });
  return said;
}

/** @file Which layers attend within a sliding window, from config.json and the family's rule. */
import * as v from 'valibot';
import type { WindowRule } from './architectures/architecture';
import { badConfig, type Fields, parseFields, show, size, unsupported } from './configFields';

const schema = v.object({
  num_hidden_layers: size(1024),
  sliding_window: v.nullish(size(2 ** 27)),
  use_sliding_window: v.nullish(v.boolean(), false),
  max_window_layers: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
  sliding_window_pattern: v.nullish(size(1024)),
  layer_types: v.nullish(v.pipe(v.array(v.pipe(v.string(), v.maxLength(100))), v.maxLength(1024))),
});

/** The window of every layer in tokens; undefined where a query sees all before it. */
export function parseWindows(fields: Fields, rule: WindowRule): (number | undefined)[] {
  const found = parseFields(schema, fields);
  const window = rule === 'chosen-layers' && !found.use_sliding_window ? null : found.sliding_window;
  const pattern = found.sliding_window_pattern;
  if (rule === 'all-but-each-nth' && pattern == null) {
    throw badConfig(`sliding_window_pattern: expected a number, got ${show(pattern)}`);
  }
  const slides = {
    none: () => false,
    'every-layer': () => window != null,
    'chosen-layers': (layer: number) => window != null && layer >= found.max_window_layers,
    'all-but-each-nth': (layer: number) => (layer + 1) % (pattern ?? 1) !== 0,
  }[rule];
  const implied = Array.from({ length: found.num_hidden_layers }, (_, layer) =>
    slides(layer) ? 'sliding_attention' : 'full_attention',
  );
  return chosenTypes(found.layer_types, implied, rule).map((type, layer) => {
    if (type === 'full_attention') return undefined;
    if (window != null) return window;
    throw badConfig(
      `layer_types: layer ${layer} is ${show(type)}, but sliding_window is ${show(found.sliding_window)}` +
        ` and use_sliding_window ${found.use_sliding_window}`,
    );
  });
}

/** `layer_types` where the family reads them; elsewhere they may only say what is so anyway. */
function chosenTypes(types: readonly string[] | null | undefined, implied: readonly string[], rule: WindowRule) {
  if (types == null) return implied;
  const free = rule === 'chosen-layers' || rule === 'all-but-each-nth';
  if (types.length !== implied.length) {
    throw badConfig(`layer_types: expected one for each of the ${implied.length} layers, got ${types.length}`);
  }
  types.forEach((type, layer) => {
    const known = type === 'full_attention' || type === 'sliding_attention';
    if (known && (free || type === implied[layer])) return;
    const expected = free ? "'full_attention' and 'sliding_attention'" : show(implied[layer]);
    throw unsupported(`${show(type)} in layer ${layer}`, `${expected} there`);
  });
  return types;
}

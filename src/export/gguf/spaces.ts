/** @file Does a tokenizer.json treat spaces as llama.cpp's 'llama' tokenizer, which follows sentencepiece? */
import type { NormalizerJson, PreTokenizerJson } from '../../text/pipeline/schema';

const mark = '▁';

/** A space becomes ▁; does a text also begin with one? null: the file does something else. */
export function spacePrefix(normalizer: NormalizerJson | null, preTokenizer: PreTokenizerJson | null): boolean | null {
  const steps = normalizer === null ? [] : flat(normalizer);
  const replaces = steps.at(-1)?.type === 'Replace' && isSpaceToMark(steps.at(-1)!);
  if (replaces && !cutsNothing(preTokenizer)) return null;
  if (replaces && steps.length === 1) return false;
  const [first] = steps;
  if (replaces && steps.length === 2) return first?.type === 'Prepend' && first.prepend === mark ? true : null;
  if (steps.length > 0 || preTokenizer?.type !== 'Metaspace') return null;
  if (preTokenizer.replacement !== mark || preTokenizer.split) return null;
  return preTokenizer.prepend_scheme !== 'never';
}

function flat(json: NormalizerJson): NormalizerJson[] {
  return json.type === 'Sequence' ? json.normalizers.flatMap(flat) : [json];
}

function isSpaceToMark(step: NormalizerJson): boolean {
  return step.type === 'Replace' && step.content === mark && 'String' in step.pattern && step.pattern.String === ' ';
}

/** Gemma's files cut at spaces, of which the normalizer has left none. */
function cutsNothing(json: PreTokenizerJson | null): boolean {
  if (json === null) return true;
  return json.type === 'Split' && 'String' in json.pattern && json.pattern.String === ' ' && !json.invert;
}

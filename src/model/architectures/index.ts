/** @file The families that we run. A new one is a table in its own file and a line here. */
import { LabError } from '../../errors';
import type { Architecture } from './architecture';
import { gemma } from './gemma';
import { gemma2 } from './gemma2';
import { gemma3, gemma3Text } from './gemma3';
import { llama } from './llama';
import { mistral } from './mistral';
import { olmo2 } from './olmo2';
import { qwen2 } from './qwen2';
import { qwen3 } from './qwen3';

export const architectures: readonly Architecture[] = [
  ...[llama, mistral, qwen2, qwen3],
  ...[gemma, gemma2, gemma3Text, gemma3, olmo2],
];

/** Families that one may well try, and what they have that no shape can say. */
const refused: Readonly<Record<string, string>> = {
  gpt_neox:
    'attention and MLP run in parallel on the same input, and queries, keys and values are interleaved by head in one tensor',
};

/** The family of a `model_type`; throws 'unsupported-architecture' that names what came and what is supported. */
export function architectureOf(family: string): Architecture {
  const found = architectures.find((architecture) => architecture.family === family);
  if (found) return found;
  const reason = Object.hasOwn(refused, family) ? ` (${refused[family]})` : '';
  const supported = architectures.map((architecture) => `'${architecture.family}'`).join(', ');
  throw new LabError(
    'unsupported-architecture',
    `config.json: model_type is '${family.slice(0, 60)}'${reason}; supported: ${supported}.`,
    'Choose a model such as SmolLM2, TinyLlama, Llama 3, Mistral 7B, Qwen2.5, Qwen3, Gemma 3 or OLMo 2.',
  );
}

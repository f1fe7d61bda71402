/** @file The families that we run. A new one is a table in its own file and a line here. */
import { LabError } from '../../errors';
import type { Architecture } from './architecture';
import { llama } from './llama';
import { mistral } from './mistral';
import { qwen2 } from './qwen2';
import { qwen3 } from './qwen3';

export const architectures: readonly Architecture[] = [llama, mistral, qwen2, qwen3];

/** The family of a `model_type`; throws 'unsupported-architecture' that names what came and what is supported. */
export function architectureOf(family: string): Architecture {
  const found = architectures.find((architecture) => architecture.family === family);
  if (found) return found;
  const supported = architectures.map((architecture) => `'${architecture.family}'`).join(', ');
  throw new LabError(
    'unsupported-architecture',
    `config.json: model_type is '${family.slice(0, 60)}'; supported: ${supported}.`,
    'Choose a model such as SmolLM2, TinyLlama, Llama 3, Mistral 7B, Qwen2.5 or Qwen3.',
  );
}

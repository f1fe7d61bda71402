/** @file The modeling file that an uneven variant carries: ours, with the names of the family's classes. */
import { LabError } from '../../errors';
import type { ModelShape } from '../../model/shape';
import code from './modeling_secateur.py?raw';
import { writtenArchitecture } from './uneven';

export const modelingFile = 'modeling_secateur.py';

/** Names of the configuration classes that are not made of the model class's name. */
const configClasses: Readonly<Record<string, string>> = { gemma3_text: 'Gemma3TextConfig' };

/** The file's text for a family. */
export function modelingCode({ family }: Pick<ModelShape, 'family'>): string {
  const { className, family: written } = writtenArchitecture(family);
  const config = configClasses[written] ?? className.replace(/ForCausalLM$/, 'Config');
  const named = code
    .replace('import LlamaConfig as', `import ${config} as`)
    .replace('import LlamaForCausalLM as', `import ${className} as`);
  if (named.includes(`import ${config} as`) && named.includes(`import ${className} as`)) return named;
  throw new LabError('internal', `${modelingFile} names no family's classes.`, 'Please report this bug.');
}

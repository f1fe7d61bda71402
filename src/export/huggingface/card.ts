/** @file README.md of an exported folder: the model card that a Hub shows. */
import { program } from '../../report/record';
import type { ExportSource } from '../exported';
import { hubName, madeSentences, measuredMarkdown, plainText } from '../provenance';
import { addsZeroBiases } from './tensors';
import { enginesOf, whyUneven } from './uneven';

/** A string of YAML: JSON's form of one is YAML, too. */
const yamlString = (text: string): string => JSON.stringify(text);

/** The card; `notes`: what was left out of the folder's files. */
export function modelCard(source: ExportSource, notes: readonly string[]): string {
  const { shape, model, name } = source;
  const base = hubName(model);
  const uneven = whyUneven(shape) !== null;
  const front = [
    '---',
    ...(base === null ? [] : [`base_model: ${yamlString(base)}`]),
    'library_name: transformers',
    'pipeline_tag: text-generation',
    'tags:',
    ...['- pruning', '- secateur', ...(uneven ? ['- custom_code'] : [])],
    '---',
  ];
  const remarks = [
    ...(shape.family === 'gemma3' ? ['This is the language model alone, without the vision tower.'] : []),
    ...(addsZeroBiases(shape)
      ? ["transformers' class has a bias in every block or in none: biases that this model lacks are written as zeros."]
      : []),
    ...notes,
  ];
  return `${front.join('\n')}

# ${plainText(base ?? model.card?.title ?? 'A pruned model')}: ${plainText(name)}

${madeSentences(source).join('\n')}

Made with ${program}. The licence of the base model applies; this card does not know it.

## Loading it

\`\`\`python
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained("path/to/this/folder"${uneven ? ', trust_remote_code=True' : ''}, dtype="auto")
tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")
\`\`\`

${enginesOf(shape)}
${uneven ? '`trust_remote_code=True` runs `modeling_secateur.py` of this folder: read it first, it is short.\n' : ''}Tested with transformers 5.18; \`config.json\` lists the sliding windows block by block, which versions before 4.53 do not read.
Weights have the type in which the base stores them. The numbers below were computed in float32: \`dtype=torch.float32\` repeats them.
${remarks.map((remark) => `${plainText(remark)}\n`).join('')}
## Measured

${measuredMarkdown(source)}

Pruning changes what a model says more than a perplexity shows. Evaluate it on your own task before you use it.
`;
}

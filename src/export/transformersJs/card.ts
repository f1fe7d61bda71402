/** @file README.md of an exported folder: how the model was made, and the code that opens it. */
import { program } from '../../report/record';
import type { ExportSource } from '../exported';
import { hubName, madeSentences, measuredMarkdown, plainText } from '../provenance';
import type { WeightFacts } from './config';
import { oldestVersion, runsIn } from './limits';

/** What the files hold, one sentence each. */
function weightSentences({ dtype, maxPositions }: WeightFacts): string[] {
  const positions = `The graph runs sequences of up to ${maxPositions.toLocaleString('en-US')} tokens.`;
  if (dtype === 'fp32') return ['Weights, computation and cache are float32.', positions];
  return [
    'Matrices are stored as float16 and widened when the model runs; norms and biases are float32. Computation, cache and logits are float32, so that nothing overflows.',
    'transformers.js opens float16 files on WebGPU where the adapter has `shader-f16`, and everywhere on wasm.',
    positions,
  ];
}

export function modelCard(source: ExportSource, facts: WeightFacts, notes: readonly string[]): string {
  const { model, name } = source;
  const base = hubName(model);
  const front = [
    '---',
    ...(base === null ? [] : [`base_model: ${JSON.stringify(base)}`]),
    ...['library_name: transformers.js', 'pipeline_tag: text-generation', 'tags:', '- pruning', '- secateur', '---'],
  ];
  return `${front.join('\n')}

# ${plainText(base ?? model.card?.title ?? 'A pruned model')}: ${plainText(name)}

${madeSentences(source).join('\n')}

Made with ${program}. The licence of the base model applies; this card does not know it.

## Running it

${runsIn(source.shape)}

\`\`\`js
import { env, pipeline } from '@huggingface/transformers'; // ${oldestVersion} or later

const generator = await pipeline('text-generation', 'owner/name'); // where this folder lies on the Hub
const [answer] = await generator('Once upon a time', { max_new_tokens: 40, do_sample: false });
console.log(answer.generated_text);
\`\`\`

- From a server of your own: put the folder below \`/models/\`, set \`env.allowLocalModels = true\`, and name the folder.
- On the GPU: pass \`{ device: 'webgpu' }\` as the third argument.
- \`dtype\` can stay out: \`config.json\` names the type of the weights.
- Several prompts at once: set \`generator.tokenizer.padding_side = 'left'\`.

${weightSentences(facts).join('\n')}
${notes.map((note) => `${plainText(note)}\n`).join('')}
## Measured

${measuredMarkdown(source)}

Pruning changes what a model says more than a perplexity shows. Evaluate it on your own task before you use it.
`;
}

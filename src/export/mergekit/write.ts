/** @file Writes a depth plan as a passthrough merge of mergekit: its YAML, and a page that says how to run it. */
import { program } from '../../report/record';
import type { ExportedFile, ExportOptions, ExportSource } from '../exported';
import { textFile } from '../files';
import { torchDtypes } from '../huggingface/config';
import { hubName, madeSentences } from '../provenance';
import { keptRanges } from './slices';

const yamlFile = 'mergekit.yaml';

export default async function write(source: ExportSource, _options: ExportOptions): Promise<readonly ExportedFile[]> {
  return [
    textFile(yamlFile, mergeYaml(source), 'application/yaml'),
    textFile('README.md', readMe(source), 'text/markdown'),
  ];
}

/** The merge. Strings are JSON's, which YAML reads alike. */
export function mergeYaml({ plan, baseShape, model }: ExportSource): string {
  const name = JSON.stringify(hubName(model) ?? 'path/to/the/model');
  const slices = keptRanges(baseShape.layers.length, plan.removeBlocks).map(
    ([first, end]) => `  - sources:
      - model: ${name}
        layer_range: [${first}, ${end}]`,
  );
  return `# ${program}: a model of ${baseShape.layers.length} blocks without ${plan.removeBlocks.join(', ')}.
# layer_range counts from 0, and its end is exclusive.
slices:
${slices.join('\n')}
merge_method: passthrough
dtype: ${torchDtypes[model.dtype]}
tokenizer_source: base
base_model: ${name}
`;
}

/** The sliding windows of the blocks that remain, where the family has some; null where no block has one. */
function layerTypes({ shape }: ExportSource): string[] | null {
  const types = shape.layers.map(({ window }) => (window === undefined ? 'full_attention' : 'sliding_attention'));
  return types.some((type) => type !== types[0]) ? types : null;
}

function readMe(source: ExportSource): string {
  const types = layerTypes(source);
  const windows =
    types === null
      ? `If the base's \`config.json\` has a list \`layer_types\`, mergekit leaves it at its old length, and transformers refuses the
result: remove the entries of the removed blocks from \`out/config.json\` (indices ${source.plan.removeBlocks.join(', ')}).`
      : `This family's blocks differ in their sliding windows, and mergekit does not carry that over. Set the list in \`out/config.json\`:

\`\`\`json
"layer_types": ${JSON.stringify(types)}
\`\`\`

Without it, blocks get the windows of other blocks.`;
  const local = hubName(source.model) === null ? `Replace \`path/to/the/model\` in \`${yamlFile}\` first.\n\n` : '';
  return `# ${yamlFile}

${madeSentences(source).join('\n')}

${local}\`\`\`sh
pip install mergekit
mergekit-yaml ${yamlFile} out --copy-tokenizer
\`\`\`

mergekit takes the newest revision of the model unless its name ends in \`@revision\`.

${windows}
`;
}

/** @file Writes the factors of a LoRA training as PEFT reads them: adapter_config.json, adapter_model.safetensors, a card. */
import { LabError } from '../../errors';
import { layerTensorName } from '../../model/architectures/architecture';
import type { ModelShape } from '../../model/shape';
import { program } from '../../report/record';
import type { FactorPlace, KeptAdapter } from '../../retrain/keptAdapter';
import type { ExportedFile, ExportOptions, ExportSource } from '../exported';
import { jsonFile, textFile } from '../files';
import { safetensorsFile } from '../huggingface/shards';
import type { WrittenTensor } from '../huggingface/tensors';
import { whyUneven, writtenArchitecture } from '../huggingface/uneven';
import { madeSentences, measuredMarkdown, plainText } from '../provenance';

export default async function write(source: ExportSource, _options: ExportOptions): Promise<readonly ExportedFile[]> {
  const { adapter, adapterBase } = source;
  if (!adapter || !adapterBase) {
    throw new LabError('not-available', 'peft: the variant has no adapter.', "Export it as 'huggingface'.");
  }
  return [
    jsonFile('adapter_config.json', adapterConfig(adapter, source.shape, adapterBase)),
    safetensorsFile('adapter_model.safetensors', adapterTensors(adapter, source.shape)),
    textFile('README.md', adapterCard(source, adapter, adapterBase.path), 'text/markdown'),
  ];
}

/** The tensors under PEFT's names: those of transformers' modules within the two wrappers of a PEFT model. */
function adapterTensors({ factors, data }: KeptAdapter, shape: ModelShape): WrittenTensor[] {
  let end = 0;
  return factors.map((place) => {
    const begin = end;
    const bytes = place.dims[0] * place.dims[1] * 4;
    end += bytes;
    return {
      name: `base_model.model.${moduleOf(shape, place)}.lora_${place.kind}.weight`,
      ...{ dtype: 'F32' as const, dims: place.dims, bytes, file: null },
      read: async (from: number, to: number) =>
        new Uint8Array(await data.slice(begin + from, begin + to).arrayBuffer()),
    };
  });
}

/** 'model.layers.3.self_attn.q_proj': blocks are numbered as in the exported parent. */
const moduleOf = ({ family }: ModelShape, { layer, role }: Pick<FactorPlace, 'layer' | 'role'>): string =>
  layerTensorName(writtenArchitecture(family), role, layer).replace(/\.weight$/, '');

/** The fields that PEFT needs; it fills in the others. */
function adapterConfig(
  { setting, factors }: KeptAdapter,
  shape: ModelShape,
  base: NonNullable<ExportSource['adapterBase']>,
): object {
  const modules = factors.map((place) => moduleOf(shape, place).split('.').at(-1)!);
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base.path,
    revision: base.revision,
    inference_mode: true,
    ...{ r: setting.rank, lora_alpha: setting.alpha, lora_dropout: setting.dropout },
    target_modules: [...new Set(modules)],
    ...{ bias: 'none', fan_in_fan_out: false, use_dora: false, use_rslora: false, modules_to_save: null },
  };
}

function adapterCard(source: ExportSource, { parentName, setting }: KeptAdapter, path: string): string {
  const remote = whyUneven(source.shape) === null ? '' : ', trust_remote_code=True';
  return `---
base_model: ${JSON.stringify(path)}
library_name: peft
tags:
- lora
- pruning
- secateur
---

# Adapter: ${plainText(source.name)}

LoRA factors of rank ${setting.rank} for the variant "${plainText(parentName)}". Export that variant with Secateur as a Hugging Face folder
and put the folder where \`base_model_name_or_path\` in \`adapter_config.json\` says (\`${path}\`), or change that field.

${madeSentences(source).join('\n')}

Made with ${program}. The licence of the base model applies; this card does not know it.

## Loading it

\`\`\`python
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

base = AutoModelForCausalLM.from_pretrained(${JSON.stringify(path)}${remote}, dtype=torch.float32)
model = PeftModel.from_pretrained(base, "path/to/this/folder")
\`\`\`

The factors are float32. Secateur's own variant has them merged into its weights, which are then rounded to the type in which the base
stores them: the numbers below are those of the merged variant.

## Measured

${measuredMarkdown(source)}
`;
}

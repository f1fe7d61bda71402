/** @file config.json and generation_config.json as transformers.js reads them. All that is computed stands in the graph. */
import { parseJson } from '../../io/json';
import { record } from '../../model/configFields';
import type { LayerShape, ModelShape } from '../../model/shape';
import { configFile, generationConfigFile } from '../../shards/sources/modelFiles';
import type { ExportSource } from '../exported';

type Fields = Readonly<Record<string, unknown>>;

/** `model_type` and class of each family in transformers.js. */
const classes: Readonly<Record<string, readonly [modelType: string, architecture: string]>> = {
  llama: ['llama', 'LlamaForCausalLM'],
  mistral: ['mistral', 'MistralForCausalLM'],
  qwen2: ['qwen2', 'Qwen2ForCausalLM'],
  qwen3: ['qwen3', 'Qwen3ForCausalLM'],
  gemma: ['gemma', 'GemmaForCausalLM'],
  gemma2: ['gemma2', 'Gemma2ForCausalLM'],
  gemma3: ['gemma3_text', 'Gemma3ForCausalLM'],
  gemma3_text: ['gemma3_text', 'Gemma3ForCausalLM'],
  olmo2: ['olmo2', 'Olmo2ForCausalLM'],
};

/** What `config.json` says of the files of weights. */
export interface WeightFacts {
  readonly dtype: 'fp32' | 'fp16';
  /** Name of the graph's file, and how many files of weights belong to it. */
  readonly graph: string;
  readonly files: number;
  /** Longest sequence that the graph can run. */
  readonly maxPositions: number;
}

async function fieldsOf(source: ExportSource, file: string): Promise<Fields> {
  const text = await source.text(file);
  return (text === null ? null : record(parseJson(text, file, 'bad-source'))) ?? {};
}

/** Ids of the model's special tokens, where its own configuration names them. */
function tokenIds(own: Fields, source: ExportSource): Fields {
  const known = ['bos_token_id', 'pad_token_id'].filter((name) => typeof own[name] === 'number');
  const { endsOfText } = source;
  return {
    ...Object.fromEntries(known.map((name) => [name, own[name]])),
    ...(endsOfText.length > 0 && { eos_token_id: endsOfText.length === 1 ? endsOfText[0] : [...endsOfText] }),
  };
}

const most = (layers: readonly LayerShape[], part: 'heads' | 'kvHeads' | 'headDim' | 'ffn'): number =>
  Math.max(1, ...layers.map((layer) => layer[part]));

/** The blocks of the graph, for a reader: transformers.js does not look at them. */
const blocksOf = ({ layers }: ModelShape): Fields => ({
  source_block: layers.map(({ source }) => source),
  num_attention_heads: layers.map(({ heads }) => heads),
  num_key_value_heads: layers.map(({ kvHeads }) => kvHeads),
  intermediate_size: layers.map(({ ffn }) => ffn),
});

export async function configOf(source: ExportSource, facts: WeightFacts): Promise<Fields> {
  const { shape } = source;
  const own = await fieldsOf(source, configFile);
  const [modelType, architecture] = classes[shape.family]!;
  return {
    ...{ architectures: [architecture], model_type: modelType },
    ...{ vocab_size: shape.vocab, hidden_size: shape.hidden, intermediate_size: most(shape.layers, 'ffn') },
    num_hidden_layers: shape.layers.length,
    ...{ num_attention_heads: most(shape.layers, 'heads'), num_key_value_heads: most(shape.layers, 'kvHeads') },
    ...{ head_dim: most(shape.layers, 'headDim'), max_position_embeddings: facts.maxPositions },
    ...{
      rms_norm_eps: shape.normEps,
      tie_word_embeddings: shape.tiedHead,
      ...tokenIds(record(own['text_config']) ?? own, source),
    },
    'transformers.js_config': { dtype: facts.dtype, use_external_data_format: { [facts.graph]: facts.files } },
    secateur: { blocks: blocksOf(shape), plan: source.plan },
  };
}

/** The model's own settings, with the ends of text that this program stops at. */
export async function generationConfigOf(source: ExportSource): Promise<Fields> {
  const own = await fieldsOf(source, generationConfigFile);
  const config = await fieldsOf(source, configFile);
  return { ...own, ...tokenIds({ ...config, ...own }, source) };
}

/** @file What a checkpoint is that has none of a model's tensor names: told by names that other tools write. */

interface Foreign {
  readonly pattern: RegExp;
  readonly what: string;
  readonly remedy: string;
}

const known: readonly Foreign[] = [
  {
    pattern: /\.(lora_[AB]|lora_embedding_[AB]|lora_magnitude_vector|base_layer|modules_to_save)\b/,
    what: 'a LoRA adapter, or a model with one wrapped around its weights',
    remedy: 'Merge the adapter into its base model (PEFT: merge_and_unload) and save the result.',
  },
  {
    pattern: /\.(qweight|qzeros|weight_packed|weight_scale|weight_scale_inv|SCB|absmax|quant_map|scales)$/,
    what: 'a quantized model',
    remedy: 'Choose the checkpoint with 16- or 32-bit floating-point weights.',
  },
  {
    pattern: /^layers\.\d+\.(attention\.w[qkvo]|feed_forward\.w[123])\.weight$/,
    what: "a model in the original layout of Meta or Mistral ('consolidated')",
    remedy: 'Use the files in Hugging Face format from the same repository, or convert them with transformers.',
  },
  {
    pattern: /^blk\.\d+\./,
    what: 'a model with GGUF tensor names',
    remedy: 'Use the files in Hugging Face format: model.safetensors.',
  },
  {
    pattern: /(^|\.)h\.\d+\.(attn|mlp|ln_)/,
    what: 'a model like GPT-2',
    remedy: 'Choose a model of a family that Secateur supports.',
  },
];

/** What the names say, with what to do; null where they say nothing that is known. */
export function foreignNames(names: Iterable<string>): Omit<Foreign, 'pattern'> | null {
  const found = new Set<Foreign>();
  for (const name of names) {
    for (const each of known) if (each.pattern.test(name)) found.add(each);
  }
  return known.find((each) => found.has(each)) ?? null;
}

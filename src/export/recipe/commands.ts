/** @file COMMANDS.md of a recipe: how other engines evaluate the pruned model, and how the paper's tables are repeated. */
import { program } from '../../report/record';
import type { ExportSource } from '../exported';
import { torchDtypes } from '../huggingface/config';
import { whyUneven } from '../huggingface/uneven';
import { hubName, madeSentences, measuredMarkdown } from '../provenance';

const tasks = 'boolq,piqa,hellaswag,winogrande,arc_easy,arc_challenge,openbookqa';

/** The text; commands carry `trust_remote_code` where the pruned model needs its modeling file. */
export function commandsText(source: ExportSource): string {
  const { shape, model } = source;
  const why = whyUneven(shape);
  const remote = why === null ? '' : ',trust_remote_code=True';
  const hub = hubName(model);
  const ours = hub === null ? ' --model path/to/the/checkpoint' : '';
  const vllm =
    why === null
      ? `\`\`\`sh
vllm serve pruned --dtype float16
vllm bench latency --model pruned --dtype float16 --input-len 128 --output-len 128 --batch-size 1
lm_eval --model vllm --model_args pretrained=pruned,dtype=float16 --tasks ${tasks} --num_fewshot 0
\`\`\``
      : `vLLM builds every block from the same numbers: it does not run this variant, because ${why}. Use transformers.`;
  return `# From this recipe to a large machine

${madeSentences(source).join('\n')}

## 1. Make the pruned checkpoint

\`\`\`sh
pip install torch transformers safetensors
python3 apply_recipe.py --out pruned${ours}
\`\`\`

The stored type is that of the base (${torchDtypes[model.dtype]}). For a larger model of the family: \`--model NAME --stretch\` removes the blocks at
the same relative depth. It is a guess: scores of the larger model itself are better.

## 2. Evaluate it

\`\`\`sh
pip install lm-eval
lm_eval --model hf --model_args pretrained=pruned,dtype=float16${remote} --tasks ${tasks} \\
  --num_fewshot 0 --device cuda:0 --batch_size auto --output_path results
\`\`\`

Evaluate the base by the same command, with the same versions: scores of different versions of lm-eval are not comparable.

${vllm}

## 3. Repeat the tables of Shortened LLaMA (arXiv 2402.02834)

What its official code does, as far as it can be read there:

- **Models**: LLaMA-7B, Vicuna-7B-v1.3 and Vicuna-13B-v1.3. Removed blocks: 6, 9 or 11 of 32 (20, 27, 35 %), 8, 11 or 15 of 40 (21, 29, 37 %).
- **Calibration**: 10 sequences of 128 tokens of BookCorpus, seed 1234. Taylor and magnitude in float32, the PPL criterion in float16. Every
  block is scored once, and the lowest scores go; "+" keeps the first four and the last two blocks.
- **Zero-shot tasks**: lm-eval at commit \`3326c54\`, model \`hf-causal-experimental\`, 0 shots, batch size 1: BoolQ acc, PIQA acc, HellaSwag acc_norm,
  WinoGrande acc, ARC-easy acc, ARC-challenge acc_norm, OpenBookQA acc_norm; the average is the plain mean of the seven.
- **Perplexity**: WikiText-2 (\`wikitext-2-raw-v1\`, test) and PTB (\`ptb_text_only\`, validation). Rows are joined by two line ends and tokenized once,
  with one BOS at the very start. Windows of **128** tokens without overlap, the last incomplete one dropped; 127 targets a window;
  exp of the mean loss. Perplexities over 2,048 tokens are much lower and not comparable.
- **Retraining**: LoRA on \`yahma/alpaca-cleaned\` (2,000 rows held out, seed 42): rank 8, α 16, dropout 0.05 on q, k, v, o, gate, up, down; AdamW,
  learning rate 1e-4, linear decay after 100 steps of warm-up, 2 epochs, batch 64 (4 × 16), 256 tokens; loss on the answers only; merged in float16.
- **Latency**: transformers \`generate\` in float16 on one GPU; prompt "The Leaning Tower of Pisa is known for", copied over the batch; exactly 128 or
  512 new tokens; batches of 1, 8, 16, 32, 64, 128, 256; sampling with top-k 50, top-p 0.95, temperature 1; 30 runs, of which the
  first 10 warm up; mean and standard deviation of 20, by CUDA events with a synchronization; throughput is batch × new tokens / time.
- **Memory**: \`torch.cuda.max_memory_allocated\`, reset before each run.

Published after LoRA, as a check of your set-up: LLaMA-7B without 6 blocks by the PPL criterion has a perplexity of 17.66 on WikiText-2 and 30.75 on PTB and
an average of 61.83; by Taylor+ 20.21, 32.36 and 63.49. Without pruning its perplexities are 12.62 and 22.13.

## Measured in the browser

${measuredMarkdown(source)}

Written by ${program}.
`;
}

/** @file The format 'recipe' in the registry. */
import type { ExportFormat } from '../exported';

export const recipe: ExportFormat = {
  id: 'recipe',
  label: 'Recipe and script',
  dtypes: [],
  runsIn: () =>
    'A Python script applies the plan to a full checkpoint with transformers and saves it; COMMANDS.md has the command lines for lm-eval and vLLM, and the paper’s protocol.',
  refusal: ({ shape }) =>
    shape.family === 'gemma3'
      ? {
          message: 'The script reads language models only, and this one lies beside a vision tower.',
          remedy: "Export as 'huggingface', which writes the language model alone.",
        }
      : null,
  load: () => import('./write'),
};

/** @file The format 'peft' in the registry: the factors of a LoRA training as an adapter for Hugging Face's PEFT. */
import type { Step } from '../../pruning/variant';
import type { ExportFormat, ExportRefusal } from '../exported';

export const peft: ExportFormat = {
  id: 'peft',
  label: 'PEFT adapter',
  dtypes: [],
  runsIn: () =>
    'PEFT puts the adapter on the variant that was trained: export that one as a Hugging Face folder beside it. vLLM reads such adapters too.',
  refusal: ({ recipe, hasAdapter }) => (hasAdapter ? null : refusalOf(recipe)),
  load: () => import('./write'),
};

function refusalOf(recipe: readonly Step[]): ExportRefusal {
  const step = recipe.findLast(({ kind }) => kind === 'retrain');
  const trained = step?.kind === 'retrain' ? step : null;
  if (trained === null || trained.method === 'full' || trained.method === 'distill') {
    return {
      message: 'An adapter holds the factors of a LoRA training, and this variant was not trained by LoRA.',
      remedy: "Export it as 'huggingface', or retrain its parent with the method 'lora'.",
    };
  }
  if (trained.method === 'full+lora') {
    return {
      message:
        'The factors belong to the weights that continued pretraining left before them, and those were no variant of their own.',
      remedy:
        "Export it as 'huggingface', which has the factors merged. For an adapter, train 'full' first, then 'lora'.",
    };
  }
  return {
    message: 'The factors of this training are not stored: they were merged into the weights.',
    remedy: "Export it as 'huggingface', which has the factors merged, or train it again.",
  };
}

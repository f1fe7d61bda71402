/** @file The format 'huggingface' in the registry. */
import type { ExportFormat } from '../exported';
import { whyUneven, writtenArchitecture } from './uneven';

export const huggingface: ExportFormat = {
  id: 'huggingface',
  label: 'Hugging Face folder',
  dtypes: [],
  runsIn({ shape }) {
    const why = whyUneven(shape);
    return why === null
      ? `transformers, vLLM, MLX and converters load it as a ${writtenArchitecture(shape.family).className}; so does this page.`
      : `transformers loads it with trust_remote_code=True, by a modeling file in the folder, because ${why}; so does this page. vLLM and MLX do not.`;
  },
  refusal: () => null,
  load: () => import('./write'),
};
